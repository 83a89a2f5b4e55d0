import type { TreeFile } from "@syla/sdk";
import { useMemo, useState } from "react";
import { ChoiceDialog } from "../ui/choice-dialog.tsx";
import { bestPaths } from "./best-paths.ts";

const mostShown = 50;

interface QuickOpenProps {
  readonly files: readonly TreeFile[];
  /** `line` where one was named: `main.py:12`. */
  readonly onOpen: (path: string, line: number | null) => void;
  readonly onClose: () => void;
}

/** Opens a file by letters of its path. */
export function QuickOpen({ files, onOpen, onClose }: QuickOpenProps) {
  const [query, setQuery] = useState("");
  const [, letters = "", line] = /^(.*?)(?::(\d{0,9}))?$/.exec(query) ?? [];
  const choices = useMemo(
    () =>
      bestPaths(
        files.map(({ path }) => path),
        letters,
        mostShown,
      ).map((path) => {
        const slash = path.lastIndexOf("/");
        return { key: path, label: path.slice(slash + 1), aside: path.slice(0, Math.max(0, slash)) };
      }),
    [files, letters],
  );
  return (
    <ChoiceDialog
      label="Open a file"
      field="Letters of a file's path"
      placeholder="Letters of a file's path, and a line: main.py:12"
      width="36rem"
      query={query}
      onQuery={setQuery}
      choices={choices}
      onChoose={(path) => {
        onClose();
        onOpen(path, line === undefined || line === "" ? null : Number(line));
      }}
      onClose={onClose}
      empty="No file is called so."
    />
  );
}
