import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Workspace } from "@syla/sdk";
import { Archive, Download, Pause, RotateCcw, Trash2 } from "lucide-react";
import { syla } from "../app/api.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { useBulkWorkspaces, type WorkspaceListFilter } from "./queries.ts";

interface BulkBarProps {
  readonly workspaces: readonly Workspace[];
  readonly view: WorkspaceListFilter["view"];
  readonly onDone: () => void;
}

/** What can be done with the workspaces that are selected; what was refused is said. */
export function BulkBar({ workspaces, view, onDone }: BulkBarProps) {
  const bulk = useBulkWorkspaces();
  const ids = workspaces.map(({ id }) => id);
  const perform = (action: "delete" | "restore" | "suspend" | "archive") => bulk.mutate({ action, ids }, { onSuccess: onDone });
  const refused = (bulk.data ?? []).filter(({ ok }) => !ok);
  if (ids.length === 0 && refused.length === 0 && !bulk.isError) return null;
  return (
    <Box role="region" aria-label="Selection" mb="3" borderWidth="1px" borderColor="accent.border" rounded="md" bg="accent.subtle">
      {ids.length === 0 ? null : (
        <Flex align="center" gap="2" px="3" py="1.5" wrap="wrap">
          <Text fontWeight="medium" role="status" mr="auto">
            {formatPlural(ids.length, "workspace")} selected
          </Text>
          {view === "deleted" ? (
            <Button size="xs" variant="outline" loading={bulk.isPending} onClick={() => perform("restore")}>
              <RotateCcw aria-hidden /> Restore
            </Button>
          ) : (
            <>
              <Button size="xs" variant="outline" asChild>
                <a href={syla.workspaces.exportUrl(ids)} download="workspaces.zip">
                  <Download aria-hidden /> Export
                </a>
              </Button>
              <Button size="xs" variant="outline" disabled={bulk.isPending} onClick={() => perform("suspend")}>
                <Pause aria-hidden /> Suspend
              </Button>
              <Button size="xs" variant="outline" disabled={bulk.isPending} onClick={() => perform("archive")}>
                <Archive aria-hidden /> Archive
              </Button>
              <Button size="xs" variant="outline" colorPalette="red" disabled={bulk.isPending} onClick={() => perform("delete")}>
                <Trash2 aria-hidden /> Delete
              </Button>
            </>
          )}
        </Flex>
      )}
      {bulk.isError ? <ErrorPanel error={bulk.error} /> : null}
      {refused.length === 0 ? null : (
        <Text px="3" py="1.5" fontSize="xs" role="status">
          {formatPlural(refused.length, "workspace")} stayed as {refused.length === 1 ? "it was" : "they were"}:{" "}
          {refused[0]?.error?.message}
        </Text>
      )}
    </Box>
  );
}
