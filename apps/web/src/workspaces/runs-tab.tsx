import { Box } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { syla } from "../app/api.ts";
import { SmallRunRow } from "../programs/runs-tab.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import type { WorkspaceTabProps } from "./workspace-tab.ts";

const refreshMs = 4000;

/** What ran in a workspace, newest first, as far as one may see it. */
export function RunsTab({ workspace }: WorkspaceTabProps) {
  const runs = useInfiniteQuery({
    queryKey: ["runs", "workspace", workspace.id],
    queryFn: ({ pageParam, signal }) =>
      syla.runs.list({ workspace: workspace.id, owner: "visible", limit: 50, ...(pageParam ? { cursor: pageParam } : {}) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: refreshMs,
    placeholderData: (previous) => previous,
  });
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="1120px">
      <PagedList
        pages={runs}
        empty={
          <EmptyState icon={Play} title="Nothing has run here that you may see">
            Run one of its files, or in a terminal: syla exec --workspace {workspace.id} FILE
          </EmptyState>
        }
        renderRow={(run) => <SmallRunRow run={run} />}
      />
    </Box>
  );
}
