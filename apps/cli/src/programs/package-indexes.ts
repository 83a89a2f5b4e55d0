import type { PackageIndex, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";

/** All that can be seen. */
export async function allPackageIndexes(syla: Syla): Promise<PackageIndex[]> {
  const items: PackageIndex[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await syla.packageIndexes.list({ limit: 200, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
  }
}

/** By id or name. */
export async function findPackageIndex(syla: Syla, word: string): Promise<PackageIndex> {
  const found = (await allPackageIndexes(syla)).filter(({ id, name }) => id === word || name === word);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new CliError(
    first === undefined
      ? `There is no package index ${JSON.stringify(word)}.`
      : `Several package indexes are called ${JSON.stringify(word)}.`,
    {
      code: "not_found",
      exit: "invalid_request",
      hint: "syla environment index list",
    },
  );
}
