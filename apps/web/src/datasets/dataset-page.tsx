import { Button } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { Download, Upload } from "lucide-react";
import { lazy, useState } from "react";
import { ShareButton } from "../access/share-button.tsx";
import { syla } from "../app/api.ts";
import { AddressedAsset, AssetPage, type AssetTab, type AssetTabProps } from "../catalog/asset-page.tsx";
import { CloneButton } from "../catalog/clone-button.tsx";
import { UploadDialog } from "./upload-dialog.tsx";

const tabs: readonly AssetTab[] = [
  { id: "rows", label: "Rows", content: lazy(async () => ({ default: (await import("./rows-tab.tsx")).RowsTab })), fills: true },
  { id: "columns", label: "Columns", content: lazy(async () => ({ default: (await import("./columns-tab.tsx")).ColumnsTab })) },
  { id: "splits", label: "Splits", content: lazy(async () => ({ default: (await import("./splits-tab.tsx")).SplitsTab })) },
  { id: "runs", label: "Runs", content: lazy(async () => ({ default: (await import("./runs-tab.tsx")).RunsTab })) },
  {
    id: "versions",
    label: "Versions",
    content: lazy(async () => ({ default: (await import("../programs/versions/versions-tab.tsx")).VersionsTab })),
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

/** One dataset: its rows and columns, its splits and versions, and who uses it. */
export default function DatasetPage() {
  return <AddressedAsset type="dataset" content={Dataset} />;
}

function Dataset({ asset }: AssetTabProps) {
  const { columns, splits, source } = syla.datasets.config(asset);
  return (
    <AssetPage
      asset={asset}
      tabs={asset.deletedAt === null ? tabs : []}
      counts={{ columns: columns.length, splits: splits?.shares.length ?? 0 }}
      facts={<span>{source}</span>}
      actions={<DatasetActions asset={asset} />}
    />
  );
}

function DatasetActions({ asset }: { readonly asset: Asset }) {
  const [uploading, setUploading] = useState(false);
  if (asset.deletedAt !== null) return null;
  const mayEdit = asset.yourLevel === "edit" || asset.yourLevel === "admin";
  return (
    <>
      <Button size="xs" variant="outline" asChild>
        <a href={syla.datasets.exportUrl(asset.id)} download>
          <Download aria-hidden /> Download
        </a>
      </Button>
      <CloneButton asset={asset} />
      {asset.owner.type === "system" ? null : <ShareButton thing={{ resourceType: "asset", resourceId: asset.id }} />}
      {mayEdit ? (
        <Button size="xs" colorPalette="accent" onClick={() => setUploading(true)}>
          <Upload aria-hidden /> Other rows
        </Button>
      ) : null}
      {uploading ? <UploadDialog into={asset} onClose={() => setUploading(false)} /> : null}
    </>
  );
}
