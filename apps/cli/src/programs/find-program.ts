import type { Asset, Syla } from "@syla/sdk";
import { findAsset } from "../catalog/find-asset.ts";

/** A program by its id, slug or name; your own go before those of others. */
export async function findProgram(syla: Syla, word: string, view: "all" | "deleted" = "all"): Promise<Asset> {
  return await findAsset(syla, "program", word, view);
}
