import type { z } from "zod";
import type { AssetType } from "./asset-fields.ts";
import { CompositionConfig } from "./composition-config.ts";
import { DatasetConfig } from "./dataset-config.ts";
import { ModelConfig } from "./model-config.ts";
import { ProgramConfig } from "./program-config.ts";

/** What is particular to each type of asset: the shape of its `config`. */
export const assetConfigs = {
  program: ProgramConfig,
  model: ModelConfig,
  composition: CompositionConfig,
  dataset: DatasetConfig,
} as const satisfies Record<AssetType, z.ZodType>;

/** The configuration of an asset of a type. */
export type AssetConfig<T extends AssetType = AssetType> = z.output<(typeof assetConfigs)[T]>;
