import type { SandboxFile } from "@syla/sdk";

/** The bytes of a path that is not UTF-8. */
export function exactPath(file: SandboxFile): string | Uint8Array {
  return file.pathBase64 === null ? file.path : Uint8Array.from(atob(file.pathBase64), (character) => character.charCodeAt(0));
}
