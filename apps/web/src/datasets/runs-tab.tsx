import { Box } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { Play } from "lucide-react";
import { RunRow } from "../runs/run-row.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useDatasetRuns } from "./queries.ts";

/** The runs on a dataset that one may see, newest first. */
export function RunsTab({ asset }: { readonly asset: Asset }) {
  const runs = useDatasetRuns(asset.id);
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="960px">
      {runs.isPending ? <SkeletonRows rows={4} /> : null}
      {runs.isError ? <ErrorPanel error={runs.error} onRetry={() => void runs.refetch()} /> : null}
      {runs.data?.items.length === 0 ? (
        <EmptyState icon={Play} title="No run has used it">
          Choose it when you run a program, or in a terminal: syla run PROGRAM --dataset {asset.slug}
        </EmptyState>
      ) : null}
      {runs.data !== undefined && runs.data.items.length > 0 ? (
        <Box role="table" aria-label="Runs" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
          {runs.data.items.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
        </Box>
      ) : null}
    </Box>
  );
}
