import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import { liveTextName, mostLiveBytes } from "@syla/contracts/workspace-live";
import * as Y from "yjs";
import { updateOf } from "../../live/service.ts";
import { editsBetween } from "./text-edits.ts";

/** A file's text as a document holds it: lines end with a line feed there, and with `lineEnd` in the file. */
export interface FileText {
  readonly text: string;
  readonly lineEnd: "\n" | "\r\n";
}

/** @throws AppError `live_not_text` for bytes that would not come out of a document as they went in, `live_too_large` */
export function readFileText(bytes: Buffer): FileText {
  if (bytes.length > mostLiveBytes) throw new AppError("live_too_large");
  if (bytes.includes(0) || !isUtf8(bytes)) throw new AppError("live_not_text");
  const raw = bytes.toString();
  if (!raw.includes("\r")) return { text: raw, lineEnd: "\n" };
  const text = raw.replaceAll("\r\n", "\n");
  if (text.replaceAll("\n", "\r\n") !== raw) throw new AppError("live_not_text", { message: "The lines of this file end differently." });
  return { text, lineEnd: "\r\n" };
}

/** The bytes of the file. */
export function toFileBytes(text: string, lineEnd: string): Buffer {
  return Buffer.from(lineEnd === "\n" ? text : text.replaceAll("\n", lineEnd));
}

/** The hash that the file of a text has. */
export function hashOf(text: string, lineEnd: string): string {
  return hash("sha256", toFileBytes(text, lineEnd));
}

/** The state of a new document of this text. */
export function createState(text: string): Uint8Array {
  const document = new Y.Doc();
  document.getText(liveTextName).insert(0, text);
  return Y.encodeStateAsUpdate(document);
}

export function textOf(document: Y.Doc): string {
  return document.getText(liveTextName).toJSON();
}

/** Makes a document's text another one, by as small a change as can be; null when it is that already. */
export function rewrite(document: Y.Doc, text: string): Uint8Array | null {
  const edits = editsBetween(textOf(document), text);
  const content = document.getText(liveTextName);
  return updateOf(document, () => {
    for (const { at, remove, insert } of edits.toReversed()) {
      if (remove > 0) content.delete(at, remove);
      if (insert !== "") content.insert(at, insert);
    }
  });
}
