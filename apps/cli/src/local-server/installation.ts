import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The launcher of a checkout, and the command line of a package of npm. */
const marks = ["syla", "syla.mjs"];

/** The folder of Syla: the nearest one above this file that is a checkout or a package. The bundle and the sources lie at different depths. */
export function installationRoot(): string {
  let folder = import.meta.dirname;
  while (!(existsSync(join(folder, "package.json")) && marks.some((name) => existsSync(join(folder, name))))) {
    const parent = dirname(folder);
    if (parent === folder) return import.meta.dirname;
    folder = parent;
  }
  return folder;
}

/** The launcher of this checkout; null in a package of npm, which is the command line alone. */
export function findLauncher(): string | null {
  const launcher = join(installationRoot(), "syla");
  return existsSync(launcher) ? launcher : null;
}

/** The version of this installation. */
export function readVersion(): string {
  return readManifest().version;
}

/** What npm calls the package of this installation. */
export function readPackageName(): string {
  return readManifest().name;
}

function readManifest(): { readonly name: string; readonly version: string } {
  try {
    const { name, version } = JSON.parse(readFileSync(join(installationRoot(), "package.json"), "utf8")) as Record<string, unknown>;
    return { name: String(name), version: String(version) };
  } catch {
    return { name: "unknown", version: "unknown" };
  }
}
