import { AppError } from "@syla/contracts/errors";
import type { ProgramConfigInput } from "@syla/contracts/program-config";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry } from "../platform/trees.ts";
import type { Runtimes } from "../runtimes/service.ts";

const shebangBytes = 256;

/** How a program is run whose files are all that is known: by its only file, or by the one that its language begins with. */
export async function guessProgramConfig(
  { runtimes, blobs }: { readonly runtimes: Runtimes; readonly blobs: Blobs },
  entries: readonly TreeEntry[],
): Promise<ProgramConfigInput> {
  const usual = new Set(runtimes.list().map((runtime) => runtime.defaultEntrypoint));
  const entry = entries.length === 1 ? entries[0] : entries.find(({ path }) => usual.has(path));
  if (entry === undefined)
    throw new AppError("invalid_request", {
      message: "Which file is run cannot be told from the files.",
      hint: "Give a `config` with `runtime` and `entrypoint`.",
      fields: [{ path: "config", message: "is needed: the entrypoint cannot be guessed" }],
    });
  const head = (await blobs.get(entry.sha256)).subarray(0, shebangBytes).toString("latin1");
  const runtime = runtimes.detect(entry.path, head.split("\n")[0] ?? "");
  if (runtime === undefined)
    throw new AppError("unknown_language", {
      message: `The language of ${JSON.stringify(entry.path)} cannot be told from its name or its first line.`,
      hint: "Give a `config` with `runtime` and `entrypoint`.",
      fields: [{ path: "config.runtime", message: "cannot be guessed" }],
    });
  return { runtime: runtime.definition.name, entrypoint: entry.path };
}
