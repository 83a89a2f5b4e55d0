import { ThingSharing } from "../access/thing-sharing.tsx";
import type { WorkspaceTabProps } from "./workspace-tab.ts";

/** Who has a workspace, and how far. */
export function SharingTab({ workspace }: WorkspaceTabProps) {
  return <ThingSharing thing={{ resourceType: "workspace", resourceId: workspace.id }} />;
}
