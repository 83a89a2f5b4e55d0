import { Download } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./icon-button.tsx";

/** What can be downloaded: from where, and under which name. */
export interface Downloadable {
  readonly href: string;
  readonly name: string;
  /** Reads it where a plain link would be refused. */
  readonly load?: () => Promise<Response>;
}

interface DownloadButtonProps {
  readonly label: string;
  readonly file: Downloadable;
}

/** Downloads by the browser's own means; what has to be asked for with a key is read first. */
export function DownloadButton({ label, file: { href, name, load } }: DownloadButtonProps) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  if (load === undefined) {
    return (
      <IconButton label={label} asChild>
        <a href={href} download={name}>
          <Download />
        </a>
      </IconButton>
    );
  }
  const save = async () => {
    setBusy(true);
    try {
      saveAs(await (await load()).blob(), name);
      setFailed(false);
    } catch {
      setFailed(true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <IconButton label={failed ? `${label}: it did not work, try again` : label} loading={busy} onClick={() => void save()}>
      <Download />
    </IconButton>
  );
}

/** Has the browser keep something under a name. */
export function saveAs(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
