import { Box, Flex, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { Gauge } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Figure } from "../../ui/figure.tsx";
import { formatBytes, formatCount, formatDuration, formatPlural } from "../../ui/format.ts";
import { formatDollars } from "../../ui/format-dollars.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useProgramTotals } from "../queries.ts";
import { isLive, runMs } from "../run-state.ts";

/** Everything that was measured, and how that compares with other runs of the same program. */
export function MetricsTab({ run }: { readonly run: Run }) {
  const { timings, usage, output } = run;
  if (isLive(run) && usage === null)
    return (
      <EmptyState icon={Gauge} title="Figures come when the run ends">
        Until then the overview shows how long it has been going on.
      </EmptyState>
    );
  const llm = usage?.llm ?? null;
  const network = usage?.network ?? null;
  const ms = runMs(run, Date.now());
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="960px">
      <Section heading="Time" aria-label="Time">
        <Figures>
          <Figure label="Queue" value={formatDuration(timings.queueMs)} />
          {timings.environmentMs === null ? null : <Figure label="Environment" value={formatDuration(timings.environmentMs)} />}
          {timings.compileMs === null ? null : (
            <Figure
              label="Compiling"
              value={formatDuration(timings.compileMs)}
              aside={timings.compileCached === true ? "kept from before" : null}
            />
          )}
          <Figure label="Start" value={formatDuration(timings.startMs)} />
          <Figure label="Program" value={formatDuration(timings.runMs)} />
          <Figure label="In all" value={formatDuration(timings.totalMs)} />
        </Figures>
      </Section>
      <Section heading="Machine" aria-label="Machine">
        <Figures>
          <Figure
            label="CPU time"
            value={formatDuration(usage?.cpuMs ?? null)}
            aside={usage === null || ms === null || ms === 0 ? null : `${(usage.cpuMs / ms).toFixed(2)} cores on average`}
          />
          <Figure
            label="Peak memory"
            value={usage?.peakMemoryBytes == null ? "–" : formatBytes(usage.peakMemoryBytes)}
            aside={run.limits === null ? null : `of ${formatBytes(run.limits.memoryBytes.value)}`}
          />
          <Figure label="Standard output" value={formatBytes(output.stdoutBytes)} />
          <Figure label="Standard error" value={formatBytes(output.stderrBytes)} />
          {output.droppedBytes > 0 ? <Figure label="Left out" value={formatBytes(output.droppedBytes)} /> : null}
          <Figure label="Artifacts" value={formatCount(run.artifactCount)} />
          {network === null ? null : (
            <>
              <Figure label="Sent" value={formatBytes(network.sentBytes)} />
              <Figure label="Received" value={formatBytes(network.receivedBytes)} />
              <Figure
                label="Connections"
                value={formatCount(network.connections)}
                aside={network.refused > 0 ? `${network.refused} refused` : null}
              />
            </>
          )}
        </Figures>
      </Section>
      {llm === null ? null : (
        <Section heading="Models" aria-label="Models">
          <Figures>
            <Figure label="Calls" value={formatCount(llm.calls)} aside={llm.failed > 0 ? `${formatCount(llm.failed)} failed` : null} />
            <Figure
              label="Tokens in"
              value={formatCount(llm.inputTokens)}
              aside={llm.cachedTokens > 0 ? `${formatCount(llm.cachedTokens)} cached` : null}
            />
            <Figure label="Tokens out" value={formatCount(llm.outputTokens)} />
            <Figure
              label="Cost"
              value={formatDollars(llm.cost)}
              aside={llm.unknownCosts > 0 ? `${formatPlural(llm.unknownCosts, "call")} of unknown cost` : null}
            />
          </Figures>
        </Section>
      )}
      {run.program === null ? null : <OtherRuns programId={run.program.id} ms={timings.runMs} />}
    </Box>
  );
}

function Figures({ children }: { readonly children: ReactNode }) {
  return (
    <Flex as="dl" wrap="wrap" columnGap="8" rowGap="3" px="4" py="3">
      {children}
    </Flex>
  );
}

/** How long the same program takes otherwise, in the runs that the viewer may see. */
function OtherRuns({ programId, ms }: { readonly programId: string; readonly ms: number | null }) {
  const totals = useProgramTotals(programId);
  return (
    <Section heading="Runs of this program" aria-label="Runs of this program" note="of the last 30 days">
      {totals.isError ? (
        <ErrorPanel error={totals.error} onRetry={() => void totals.refetch()} />
      ) : totals.isPending ? (
        <SkeletonRows rows={1} />
      ) : (
        <>
          <Figures>
            <Figure label="Runs" value={formatCount(totals.data.total.runs)} />
            <Figure label="Succeeded" value={totals.data.successRate === null ? "–" : `${Math.floor(totals.data.successRate * 100)} %`} />
            <Figure label="Half within" value={formatDuration(totals.data.total.p50Ms)} />
            <Figure label="95 % within" value={formatDuration(totals.data.total.p95Ms)} />
            <Figure label="Cost" value={formatDollars(totals.data.total.cost)} />
          </Figures>
          <Text px="4" pb="3" fontSize="xs" color="fg.muted">
            {compare(ms, totals.data.total.p50Ms, totals.data.total.p95Ms)}{" "}
            <Text as="span" textDecoration="underline">
              <Link to={`/runs?program=${programId}`}>All runs of this program</Link>
            </Text>
          </Text>
        </>
      )}
    </Section>
  );
}

function compare(ms: number | null, p50: number | null, p95: number | null): string {
  if (ms === null || p50 === null || p95 === null) return "";
  if (ms > p95 * 1.05) return "This one took longer than nearly all others.";
  return ms > p50 ? "This one took longer than half of them." : "This one was among the quicker half.";
}
