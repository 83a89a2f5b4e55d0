import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The product's version, from the root `package.json`. */
export function readVersion(): string {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../../package.json"), "utf8")) as { version: string };
  return manifest.version;
}
