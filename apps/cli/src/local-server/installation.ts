import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of Syla: the nearest one above this file that holds the launcher. The bundle and the sources lie at different depths. */
export function installationRoot(): string {
  let folder = import.meta.dirname;
  while (!(existsSync(join(folder, "syla")) && existsSync(join(folder, "package.json")))) {
    const parent = dirname(folder);
    if (parent === folder) return import.meta.dirname;
    folder = parent;
  }
  return folder;
}

/** The version of this installation. */
export function readVersion(): string {
  try {
    return String((JSON.parse(readFileSync(join(installationRoot(), "package.json"), "utf8")) as { version?: unknown }).version);
  } catch {
    return "unknown";
  }
}
