import { Box } from "@chakra-ui/react";
import { useAccess } from "../access/queries.ts";
import { SharePanel } from "../access/share-dialog.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import type { WorkspaceTabProps } from "./workspace-tab.ts";

/** Who has a workspace, and how far. */
export function SharingTab({ workspace }: WorkspaceTabProps) {
  const thing = { resourceType: "workspace", resourceId: workspace.id } as const;
  const access = useAccess(thing);
  return (
    <Box maxW="760px" px={{ base: "4", md: "6" }} py="4">
      <Box borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
        {access.data ? <SharePanel thing={thing} access={access.data} /> : null}
        {access.isPending ? <SkeletonRows rows={3} /> : null}
        {access.error ? <ErrorPanel error={access.error} onRetry={() => void access.refetch()} /> : null}
      </Box>
    </Box>
  );
}
