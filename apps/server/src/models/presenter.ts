import type { Asset } from "@syla/contracts/assets";
import { levelCovers } from "@syla/contracts/access";
import { ModelConfig, ShownModelConfig } from "@syla/contracts/model-config";
import type { Model } from "@syla/contracts/models";

/** Where a model is and which credential it has is for those who may change it. */
export function toModel(asset: Asset, usable: boolean): Model {
  const config = ShownModelConfig.parse(asset.config);
  return {
    id: asset.id,
    name: asset.name,
    slug: asset.slug,
    description: asset.description,
    owner: { id: asset.owner.id, name: asset.owner.name },
    visibility: asset.visibility,
    level: asset.yourLevel,
    usable,
    provider: config.provider,
    modelId: config.modelId,
    config: levelCovers(asset.yourLevel, "edit") ? ModelConfig.parse(asset.config) : null,
    capabilities: config.capabilities,
    prices: config.prices,
    roles: config.roles,
    revision: asset.revision,
    createdAt: asset.createdAt,
    updatedAt: asset.updatedAt,
  };
}
