import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainText } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";

/** A value in all its forms, by MIME type. */
export type Forms = Readonly<Record<string, unknown>>;

/** Forms that are for other programs than a terminal, by what their files end in. */
const files: Readonly<Record<string, { readonly end: string; readonly isText: boolean }>> = {
  "image/png": { end: "png", isText: false },
  "image/jpeg": { end: "jpg", isText: false },
  "image/gif": { end: "gif", isText: false },
  "image/svg+xml": { end: "svg", isText: true },
  "application/pdf": { end: "pdf", isText: false },
  "text/html": { end: "html", isText: true },
};
/** What a person reads, best first. */
const texts = ["text/plain", "text/markdown", "text/latex"];

/** Saves pictures and pages, and says where; shows the rest as text. */
export interface FormsWriter {
  /** Lines for a terminal, each ended. */
  show(forms: Forms): string;
}

/** Files go into `folder`, or into a new one for this session. */
export function createFormsWriter(folder?: string): FormsWriter {
  let place: string | undefined;
  let count = 0;
  const save = (data: Buffer, end: string): string => {
    place ??= folder ?? mkdtempSync(join(tmpdir(), "syla-images-"));
    mkdirSync(place, { recursive: true });
    for (;;) {
      count += 1;
      const file = join(place, `${String(count).padStart(3, "0")}.${end}`);
      try {
        writeFileSync(file, data, { flag: "wx" });
        return file;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  };
  return {
    show: (forms) => {
      const text = textOf(forms);
      const lines = text === null ? [] : [plainText(text)];
      const images = Object.entries(forms).filter(([type]) => type.startsWith("image/"));
      const others = Object.entries(forms).filter(([type]) => !type.startsWith("image/"));
      // a table is readable as text; its page is of use only where there is no text
      for (const [type, value] of [...images, ...(text === null ? others : [])]) {
        const kind = files[type];
        if (kind === undefined || typeof value !== "string") continue;
        const data = Buffer.from(value, kind.isText ? "utf8" : "base64");
        lines.push(`[${type}, ${formatBytes(data.length)}: ${save(data, kind.end)}]`);
      }
      if (lines.length === 0) lines.push(`[${Object.keys(forms).join(", ")}]`);
      return lines.map((line) => `${line.replace(/\n$/, "")}\n`).join("");
    },
  };
}

function textOf(forms: Forms): string | null {
  const type = texts.find((name) => typeof forms[name] === "string");
  if (type !== undefined) return String(forms[type]);
  return "application/json" in forms ? JSON.stringify(forms["application/json"], null, 2) : null;
}
