import type { Revision } from "./loading.ts";

/** What a change says that it is a change of; undefined when it does not say. */
export function readRevision(headers: { readonly "if-match"?: string | undefined }): Revision | undefined {
  const given = headers["if-match"];
  if (given === undefined) return undefined;
  return given === "*" ? "*" : Number(given.replaceAll(/\D/g, ""));
}
