import type { Workspace } from "@syla/sdk";

/** What each tab of a workspace is given. */
export interface WorkspaceTabProps {
  readonly workspace: Workspace;
}

/** Whether what is in it may be changed by the viewer, once it is not archived. */
export function mayEdit({ yourLevel, state }: Workspace): boolean {
  return state !== "deleted" && (yourLevel === "edit" || yourLevel === "admin");
}
