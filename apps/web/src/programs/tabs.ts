import type { Asset } from "@syla/sdk";
import { lazy } from "react";
import type { AssetTab } from "../catalog/asset-page.tsx";

const atLeastEdit = ({ yourLevel }: Asset) => yourLevel === "edit" || yourLevel === "admin";

/** The tabs of a program, in their order. Each is loaded when it is first opened. */
export const programTabs: readonly AssetTab[] = [
  { id: "overview", label: "Overview", content: lazy(async () => ({ default: (await import("./overview-tab.tsx")).OverviewTab })) },
  { id: "files", label: "Files", content: lazy(async () => ({ default: (await import("./files/files-tab.tsx")).FilesTab })), fills: true },
  {
    id: "environment",
    label: "Dependencies",
    content: lazy(async () => ({ default: (await import("./dependencies/dependencies-tab.tsx")).DependenciesTab })),
  },
  {
    id: "secrets",
    label: "Secrets",
    content: lazy(async () => ({ default: (await import("./secrets/secrets-tab.tsx")).SecretsTab })),
    isShown: (asset) => atLeastEdit(asset) && asset.owner.type !== "system",
  },
  { id: "runs", label: "Runs", content: lazy(async () => ({ default: (await import("./runs-tab.tsx")).RunsTab })) },
  {
    id: "versions",
    label: "Versions",
    content: lazy(async () => ({ default: (await import("./versions/versions-tab.tsx")).VersionsTab })),
  },
  { id: "triggers", label: "Triggers", content: lazy(async () => ({ default: (await import("./triggers-tab.tsx")).TriggersTab })) },
  {
    id: "sharing",
    label: "Sharing",
    content: lazy(async () => ({ default: (await import("../catalog/sharing-tab.tsx")).SharingTab })),
    isShown: ({ yourLevel, owner }) => yourLevel === "admin" && owner.type !== "system",
  },
  {
    id: "settings",
    label: "Settings",
    content: lazy(async () => ({ default: (await import("./settings-tab.tsx")).SettingsTab })),
    isShown: atLeastEdit,
  },
];
