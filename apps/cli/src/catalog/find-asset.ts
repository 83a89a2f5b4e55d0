import type { Asset, AssetSummary, AssetType, Syla } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";

const idForms: Readonly<Record<AssetType, RegExp>> = {
  program: /^prog_[0-9a-z]{26}$/,
  model: /^model_[0-9a-z]{26}$/,
  composition: /^comp_[0-9a-z]{26}$/,
  dataset: /^data_[0-9a-z]{26}$/,
};

/** An asset of a type by its id, slug or name; your own go before those of others. */
export async function findAsset(syla: Syla, type: AssetType, word: string, view: "all" | "deleted" = "all"): Promise<Asset> {
  if (idForms[type].test(word)) return await syla.assets.get(word);
  const isMeant = ({ slug, name }: AssetSummary) => slug === word || name.toLowerCase() === word.toLowerCase();
  const known: string[] = [];
  for (const query of queriesFor(word, view)) {
    const found: AssetSummary[] = [];
    for await (const asset of syla.assets.all({ type, ...query })) {
      known.push(asset.slug);
      if (isMeant(asset)) found.push(asset);
    }
    const [asset, ...others] = found;
    if (others.length > 0)
      throw usageError(
        `Several ${type}s are called "${word}": ${found.map(({ id, owner }) => `${id} of ${owner.name}`).join(", ")}.`,
        "Give the id.",
      );
    if (asset !== undefined) return await syla.assets.get(asset.id);
  }
  throw usageError(`There is no ${type} "${word}", or you may not see it.${didYouMean(word, known)}`, `\`syla ${type} list\` lists yours.`);
}

/** Your own are looked through whole; of all others those that a search finds. */
function queriesFor(word: string, view: "all" | "deleted") {
  if (view === "deleted") return [{ view }] as const;
  return [{ view: "mine" }, { view: "all", q: word.replaceAll("-", " ").slice(0, 200) }] as const;
}
