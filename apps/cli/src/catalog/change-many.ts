import type { AssetSummary, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";

type Change = Parameters<Syla["assets"]["change"]>[0];

/** Does the same with many assets; what is refused for one is done for the others, and told. */
export async function changeMany(
  syla: Syla,
  assets: readonly Pick<AssetSummary, "id" | "name">[],
  { json }: { readonly json?: boolean },
  changeOf: (ids: string[]) => Change,
  done = "is changed",
): Promise<void> {
  const results = await syla.assets.change(changeOf(assets.map(({ id }) => id)));
  const nameOf = (id: string) => plainLine(assets.find((asset) => asset.id === id)?.name ?? id);
  if (json === true) printJson({ results });
  else for (const { id, ok } of results) if (ok) printLine(`${nameOf(id)} ${done}.`);
  const refused = results.flatMap(({ id, error }) => (error === null ? [] : [{ ...error, message: `${nameOf(id)}: ${error.message}` }]));
  const [first, ...others] = refused;
  if (first === undefined) return;
  if (json !== true) for (const { code, message } of others) process.stderr.write(`syla: ${message} [${code}]\n`);
  throw new CliError(first.message, { code: first.code, exit: "invalid_request", hint: first.hint });
}
