import { ThingSharing } from "../access/thing-sharing.tsx";
import type { AssetTabProps } from "./asset-page.tsx";

/** Who has an asset, and how far. */
export function SharingTab({ asset }: AssetTabProps) {
  return <ThingSharing thing={{ resourceType: "asset", resourceId: asset.id }} />;
}
