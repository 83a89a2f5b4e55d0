import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Asset, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import type { Link } from "./link-file.ts";
import { readLocalTree, type LocalEntry } from "./local-tree.ts";
import { isSame, remember } from "./push.ts";
import { requireSafe, writeInto } from "./write-into.ts";

/** What a pull did. */
export interface Pulled {
  readonly program: Asset;
  readonly written: readonly string[];
  readonly deleted: readonly string[];
}

/** Makes the folder's files those of the program. Refused when that would replace what was changed here, unless forced. */
export async function pull(
  syla: Syla,
  server: string,
  folder: string,
  program: Asset,
  options: { readonly link: Link | null; readonly force: boolean; readonly version: string | undefined },
): Promise<Pulled> {
  const { items } = await syla.programs.files(program.id, options.version);
  items.forEach((file) => requireSafe(file.path));
  mkdirSync(folder, { recursive: true });
  const local = new Map((await readLocalTree(folder)).map((entry) => [entry.path, entry]));
  const link = options.link?.id === program.id ? options.link : null;
  const wanted = items.filter((file) => !isSame(local.get(file.path), file));
  const kept = new Set(items.map((file) => file.path));
  const gone = Object.keys(link?.files ?? {}).filter((path) => !kept.has(path) && local.has(path));
  if (!options.force) requireUntouched([...wanted.map((file) => file.path), ...gone], local, link);
  for (const file of wanted) await writeInto(folder, file, () => syla.programs.readFile(program.id, file.path, options.version));
  for (const path of gone) rmSync(join(folder, path));
  if (options.version === undefined) remember(server, folder, program, items);
  return { program, written: wanted.map((file) => file.path), deleted: gone };
}

/** What is to be replaced or deleted must be as it was when it came. */
function requireUntouched(paths: readonly string[], local: ReadonlyMap<string, LocalEntry>, link: Link | null): void {
  const touched = paths.filter((path) => {
    const entry = local.get(path);
    if (entry === undefined) return false;
    const base = link?.files[path];
    return base === undefined || base[0] !== entry.sha256 || base[1] !== entry.executable;
  });
  if (touched.length === 0) return;
  const list = touched.slice(0, 5).join(", ");
  throw new CliError(`Files were changed here that the pull would replace: ${list}${touched.length > 5 ? ", …" : ""}.`, {
    code: "local_changes",
    exit: "invalid_request",
    hint: "Push them first, or pull into another folder; --force replaces them.",
  });
}
