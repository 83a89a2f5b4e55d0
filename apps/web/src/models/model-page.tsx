import { Button } from "@chakra-ui/react";
import { Copy, PackageCheck } from "lucide-react";
import { lazy, useState } from "react";
import { useNavigate } from "react-router";
import { ShareButton } from "../access/share-button.tsx";
import { useMe } from "../accounts/queries.ts";
import { assetPath } from "../catalog/asset-looks.tsx";
import { AddressedAsset, AssetPage, type AssetTab, type AssetTabProps } from "../catalog/asset-page.tsx";
import { useCloneAsset } from "../catalog/queries.ts";
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
  const me = useMe();
  const clone = useCloneAsset(asset.id);
  const navigate = useNavigate();
  const [publishing, setPublishing] = useState(false);
  if (asset.deletedAt !== null) return null;
  return (
    <>
      {me.data?.role === "end_user" || !mayEdit(asset) ? null : (
        <Button
          size="xs"
          variant="outline"
          loading={clone.isPending}
          title={clone.error?.message}
          onClick={() => clone.mutate({}, { onSuccess: (made) => void navigate(assetPath(made)) })}
        >
          <Copy aria-hidden /> Clone
        </Button>
      )}
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
