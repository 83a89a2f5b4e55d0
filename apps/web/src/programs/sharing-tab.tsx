import { ThingSharing } from "../access/thing-sharing.tsx";
import type { AssetTabProps } from "../catalog/asset-page.tsx";

/** Who has a program, and how far. */
export function SharingTab({ asset }: AssetTabProps) {
  return <ThingSharing thing={{ resourceType: "asset", resourceId: asset.id }} />;
}
