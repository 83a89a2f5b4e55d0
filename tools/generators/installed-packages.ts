import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const LockedPackage = z.object({
  version: z.string().optional(),
  license: z.string().optional(),
  link: z.boolean().optional(),
  resolved: z.string().optional(),
  cpu: z.array(z.string()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});
type LockedPackage = z.infer<typeof LockedPackage>;
const LockFile = z.object({ packages: z.record(z.string(), LockedPackage) });

/** A package of others that ships with the product. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Text of its licence and notice files; empty when it carries none or is for another kind of machine. */
  readonly texts: readonly string[];
}

const packageFolder = "node_modules/";

/** Finds `name` as Node would from the package at `from`: in its own node_modules first, then in those of the folders above. */
function locate(packages: Readonly<Record<string, LockedPackage>>, from: string, name: string): string | undefined {
  const parts = from.split("/");
  const folders = parts.map((_part, index) => `${parts.slice(0, parts.length - index).join("/")}/`);
  return [...folders, ""].map((folder) => folder + packageFolder + name).find((key) => packages[key] !== undefined);
}

function readTexts(root: string, key: string): string[] {
  const folder = join(root, key);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)(\..*)?$/i.test(name) && !/\.(js|ts|json)$/.test(name));
  return names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n").trim());
}

/** Everything that the apps need when they run (not to build or test them), from the lock file. */
export function listProductionPackages(root: string): InstalledPackage[] {
  const { packages } = LockFile.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  const found = new Map<string, LockedPackage>();
  const visit = (key: string): void => {
    const entry = packages[key];
    if (entry === undefined || found.has(key)) return;
    if (entry.link === true && entry.resolved !== undefined) return visit(entry.resolved);
    found.set(key, entry);
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
      const target = locate(packages, key, name);
      if (target !== undefined) visit(target);
    }
  };
  for (const key of Object.keys(packages)) {
    if (/^apps\/[^/]+$/.test(key)) visit(key);
  }
  const unique = new Map<string, InstalledPackage>();
  for (const [key, entry] of found) {
    if (!key.includes(packageFolder)) continue;
    const name = key.slice(key.lastIndexOf(packageFolder) + packageFolder.length);
    const version = entry.version ?? "";
    unique.set(`${name}@${version}`, { name, version, license: entry.license ?? "not stated", texts: textsOf(root, found, key) });
  }
  return [...unique.values()].toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

/**
 * The texts of a package. npm installs a package for another processor nowhere, so such a one takes the texts of the same
 * package for this processor: the notices must not depend on the machine that writes them.
 */
function textsOf(root: string, found: ReadonlyMap<string, LockedPackage>, key: string): string[] {
  const entry = found.get(key);
  if (entry?.cpu === undefined) return readTexts(root, key);
  const family = key.slice(0, key.lastIndexOf("/") + 1);
  const variants = [...found]
    .filter(([other, { version }]) => other.startsWith(family) && version === entry.version)
    .map(([other]) => other);
  return variants.map((variant) => readTexts(root, variant)).find((texts) => texts.length > 0) ?? [];
}
