import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

/** Does something with the versions of the languages' binaries that servers of this test run have found so far, and keeps those that it adds. */
export async function rememberVersions<T>(use: (known: Map<string, string>) => Promise<T>): Promise<T> {
  const file = join(inject("runFolder"), "versions.json");
  const known = new Map(existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as [string, string][]) : []);
  const before = known.size;
  const result = await use(known);
  if (known.size > before) {
    const unfinished = `${file}.${randomBytes(4).toString("hex")}`;
    writeFileSync(unfinished, JSON.stringify([...known]));
    renameSync(unfinished, file);
  }
  return result;
}
