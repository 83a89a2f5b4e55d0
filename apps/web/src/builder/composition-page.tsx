import { Button } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { PackageCheck } from "lucide-react";
import { lazy, useState } from "react";
import { useSearchParams } from "react-router";
import { ShareButton } from "../access/share-button.tsx";
import { AddressedAsset, AssetPage, type AssetTab, type AssetTabProps } from "../catalog/asset-page.tsx";
import { CloneButton } from "../catalog/clone-button.tsx";
import { PublishDialog } from "../programs/versions/publish-dialog.tsx";

/** The tabs of a composition. The editor is loaded with the first: no other page carries it. */
const tabs: readonly AssetTab[] = [
  { id: "graph", label: "Graph", content: lazy(async () => ({ default: (await import("./builder-tab.tsx")).BuilderTab })), fills: true },
  {
    id: "versions",
    label: "Versions",
    content: lazy(async () => ({ default: (await import("./composition-versions.tsx")).CompositionVersions })),
  },
  {
    id: "sharing",
    label: "Sharing",
    content: lazy(async () => ({ default: (await import("../catalog/sharing-tab.tsx")).SharingTab })),
    isShown: ({ yourLevel, owner }) => yourLevel === "admin" && owner.type !== "system",
  },
  {
    id: "settings",
    label: "Settings",
    content: lazy(async () => ({ default: (await import("../catalog/settings-tab.tsx")).SettingsTab })),
    isShown: ({ yourLevel }) => yourLevel === "edit" || yourLevel === "admin",
  },
];

/** One composition: its graph, its versions, and who has it. */
export default function CompositionPage() {
  return <AddressedAsset type="composition" content={Composition} />;
}

function Composition({ asset }: AssetTabProps) {
  const [search] = useSearchParams();
  const isGraph = (search.get("tab") ?? "graph") === "graph";
  const { nodes } = asset.config;
  return (
    <AssetPage
      asset={asset}
      tabs={tabs}
      counts={{}}
      facts={typeof nodes === "number" ? <span>{nodes === 1 ? "1 node" : `${nodes} nodes`}</span> : null}
      actions={<CompositionActions asset={asset} />}
      isDense={isGraph}
    />
  );
}

function CompositionActions({ asset }: { readonly asset: Asset }) {
  const [publishing, setPublishing] = useState(false);
  if (asset.deletedAt !== null) return null;
  const mayEdit = asset.yourLevel === "edit" || asset.yourLevel === "admin";
  return (
    <>
      <CloneButton asset={asset} />
      {asset.owner.type === "system" ? null : <ShareButton thing={{ resourceType: "asset", resourceId: asset.id }} />}
      {mayEdit ? (
        <Button size="xs" variant="outline" onClick={() => setPublishing(true)}>
          <PackageCheck aria-hidden /> Publish
        </Button>
      ) : null}
      {publishing ? <PublishDialog asset={asset} onClose={() => setPublishing(false)} /> : null}
    </>
  );
}
