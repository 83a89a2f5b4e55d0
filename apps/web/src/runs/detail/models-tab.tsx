import { Box, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { BrainCircuit } from "lucide-react";
import { CallsTable } from "../../models/calls-table.tsx";
import { useRunCalls } from "../../models/queries.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatCount, formatPlural } from "../../ui/format.ts";
import { formatDollars } from "../../ui/format-dollars.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { isLive } from "../run-state.ts";

/** What the program called of language models, while it does. */
export function ModelsTab({ run }: { readonly run: Run }) {
  const calls = useRunCalls(run.id, isLive(run));
  const total = calls.data?.total;
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="1120px">
      {calls.isError ? <ErrorPanel error={calls.error} onRetry={() => void calls.refetch()} /> : null}
      {calls.isPending ? <SkeletonRows rows={3} /> : null}
      {calls.data?.items.length === 0 ? (
        <EmptyState icon={BrainCircuit} title="No model calls">
          {isLive(run) ? "They come here as the program makes them." : "The program did not call a model."}
        </EmptyState>
      ) : null}
      {total !== undefined && calls.data !== undefined && calls.data.items.length > 0 ? (
        <Section
          heading="Model calls"
          note={
            <Text as="span" role="status">
              {formatPlural(total.calls, "call")} · {formatCount(total.inputTokens)} tokens in, {formatCount(total.outputTokens)} out ·{" "}
              {formatDollars(total.cost)}
              {total.unknownCosts > 0 ? `, and ${formatPlural(total.unknownCosts, "call")} of unknown cost` : ""}
            </Text>
          }
        >
          <CallsTable calls={calls.data.items} by="model" />
        </Section>
      ) : null}
    </Box>
  );
}
