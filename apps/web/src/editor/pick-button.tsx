import { type ChangeEvent, type ReactNode, useRef } from "react";
import { IconButton } from "../ui/icon-button.tsx";
import type { PickedFile } from "./upload-files.ts";

interface PickButtonProps {
  readonly label: string;
  /** A folder is chosen, with all that is in it. */
  readonly isFolder?: boolean;
  readonly onPicked: (picked: readonly PickedFile[]) => void;
  readonly children: ReactNode;
}

/** Lets somebody choose files of their machine. */
export function PickButton({ label, isFolder = false, onPicked, children }: PickButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const onChange = (event: ChangeEvent<HTMLInputElement>) => {
    onPicked(Array.from(event.currentTarget.files ?? [], (file) => ({ path: file.webkitRelativePath || file.name, file })));
    event.currentTarget.value = "";
  };
  const choose = () => {
    if (input.current === null) return;
    input.current.webkitdirectory = isFolder;
    input.current.click();
  };
  return (
    <>
      <IconButton label={label} onClick={choose}>
        {children}
      </IconButton>
      <input ref={input} type="file" multiple hidden aria-label={isFolder ? "Folder to upload" : "Files to upload"} onChange={onChange} />
    </>
  );
}
