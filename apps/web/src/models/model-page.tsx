import { Button } from "@chakra-ui/react";
import { PackageCheck } from "lucide-react";
import { lazy, useState } from "react";
import { ShareButton } from "../access/share-button.tsx";
import { AddressedAsset, AssetPage, type AssetTab, type AssetTabProps } from "../catalog/asset-page.tsx";
import { CloneButton } from "../catalog/clone-button.tsx";
import { PublishDialog } from "../programs/versions/publish-dialog.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { mayEdit } from "./model-tab.tsx";

const tabs: readonly AssetTab[] = [
  { id: "overview", label: "Overview", content: lazy(async () => ({ default: (await import("./overview-tab.tsx")).OverviewTab })) },
  {
    id: "access",
    label: "Who may spend",
    content: lazy(async () => ({ default: (await import("./access-tab.tsx")).AccessTab })),
    isShown: mayEdit,
  },
  { id: "calls", label: "Calls", content: lazy(async () => ({ default: (await import("./calls-tab.tsx")).CallsTab })) },
  {
    id: "versions",
    label: "Versions",
    content: lazy(async () => ({ default: (await import("../programs/versions/versions-tab.tsx")).VersionsTab })),
  },
  {
    id: "settings",
    label: "Settings",
    content: lazy(async () => ({ default: (await import("./settings-tab.tsx")).SettingsTab })),
    isShown: mayEdit,
  },
];

/** One model: how to use it, what it cost, who may call it, and how it is reached. */
export default function ModelPage() {
  return <AddressedAsset type="model" content={Model} />;
}

function Model({ asset }: AssetTabProps) {
  return (
    <AssetPage
      asset={asset}
      tabs={asset.deletedAt === null ? tabs : []}
      counts={{}}
      facts={<Copyable text={asset.slug} label="name" />}
      actions={<ModelActions asset={asset} />}
    />
  );
}

function ModelActions({ asset }: AssetTabProps) {
  const [publishing, setPublishing] = useState(false);
  if (asset.deletedAt !== null) return null;
  return (
    <>
      {mayEdit(asset) ? <CloneButton asset={asset} /> : null}
      <ShareButton thing={{ resourceType: "asset", resourceId: asset.id }} />
      {mayEdit(asset) ? (
        <Button size="xs" variant="outline" onClick={() => setPublishing(true)}>
          <PackageCheck aria-hidden /> Publish
        </Button>
      ) : null}
      {publishing ? <PublishDialog asset={asset} onClose={() => setPublishing(false)} /> : null}
    </>
  );
}
