import { Box, Flex, Grid, Heading, Text } from "@chakra-ui/react";
import type { ComparedRun, RunComparison } from "@syla/sdk";
import { ArrowLeftRight } from "lucide-react";
import { Link, useParams } from "react-router";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { PageHeader, ScrollPage, Section, usePageTitle } from "../../ui/page.tsx";
import { Button } from "@chakra-ui/react";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { TimeAgo } from "../../ui/time-ago.tsx";
import { useComparison } from "../queries.ts";
import { describeExit } from "../run-state.ts";
import { ArtifactTable, ConfigTable, MetricTable, ModelTable } from "./compare-tables.tsx";
import { HunkView } from "./hunk-view.tsx";

/** Two runs beside each other: how they were run, what they had, what came out and what it took. */
export default function ComparePage() {
  const { id = "", other = "" } = useParams();
  usePageTitle("Compare runs");
  const comparison = useComparison(id, other);
  return (
    <ScrollPage>
      <PageHeader
        title="Compare runs"
        actions={
          <Button asChild size="xs" variant="outline">
            <Link to={`/runs/${other}/compare/${id}`} replace>
              <ArrowLeftRight aria-hidden /> Swap
            </Link>
          </Button>
        }
      />
      {comparison.isError ? <ErrorPanel error={comparison.error} onRetry={() => void comparison.refetch()} /> : null}
      {comparison.isPending ? <SkeletonRows rows={8} /> : null}
      {comparison.data ? <Comparison data={comparison.data} /> : null}
    </ScrollPage>
  );
}

function Comparison({ data }: { readonly data: RunComparison }) {
  const { from, to, config, files, omittedFiles, stdout, stderr, artifacts, omittedArtifacts, metrics, models } = data;
  return (
    <>
      <Grid templateColumns={{ base: "1fr", sm: "1fr 1fr" }} gap="3" mb="4">
        <RunCard label="Before" run={from} />
        <RunCard label="After" run={to} />
      </Grid>
      <Section heading="Configuration">
        {config.length === 0 ? <Same>They were run in the same way.</Same> : <ConfigTable config={config} />}
      </Section>
      <Section heading="Files">
        {files.length === 0 ? <Same>The files are the same.</Same> : null}
        {files.map((file) => (
          <HunkView
            key={file.path}
            title={file.path}
            facts={file.note === null ? `${file.status} +${file.additions} −${file.deletions}` : `${file.status}, ${notes[file.note]}`}
            hunks={file.hunks}
          />
        ))}
        {omittedFiles > 0 ? <Same>and {omittedFiles} more files differ</Same> : null}
      </Section>
      <Section heading="Output">
        {(
          [
            ["stdout", stdout],
            ["stderr", stderr],
          ] as const
        ).map(([name, output]) => (
          <HunkView
            key={name}
            title={name}
            facts={
              output.equal ? "the same" : output.cut ? "the first 256 KiB were compared" : `${output.fromBytes} → ${output.toBytes} bytes`
            }
            hunks={output.equal ? [] : output.hunks}
            unknown="no text, or too different to compare line by line"
          />
        ))}
      </Section>
      <Section heading="Figures">
        <MetricTable metrics={metrics} />
      </Section>
      {models.length === 0 ? null : (
        <Section heading="Calls of models">
          <ModelTable models={models} />
        </Section>
      )}
      <Section heading="Artifacts">
        {artifacts.length === 0 ? <Same>Neither left anything in /output.</Same> : <ArtifactTable artifacts={artifacts} />}
        {omittedArtifacts > 0 ? <Same>and {omittedArtifacts} more</Same> : null}
      </Section>
    </>
  );
}

const notes = { binary: "not text", large: "too large to compare", omitted: "not compared" } as const;

function RunCard({ label, run }: { readonly label: string; readonly run: ComparedRun }) {
  const exit = describeExit(run);
  return (
    <Box borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" px="3" py="2.5" minW="0">
      <Text fontSize="xs" color="fg.muted">
        {label}
      </Text>
      <Flex align="center" gap="2" wrap="wrap">
        <Heading as="h2" fontSize="sm" fontWeight="semibold" overflowWrap="anywhere" textDecoration="underline">
          <Link to={`/runs/${run.id}`}>{run.entrypoint}</Link>
        </Heading>
        <StatusBadge status={run.status} />
        {exit ? (
          <Text as="span" fontFamily="mono" fontSize="xs" color="fg.muted">
            {exit}
          </Text>
        ) : null}
      </Flex>
      <Flex columnGap="3" wrap="wrap" fontSize="xs" color="fg.muted">
        <Text as="span" fontFamily="mono">
          {run.id.slice(-8)}
        </Text>
        <Text as="span">{run.language}</Text>
        <TimeAgo time={run.createdAt} />
      </Flex>
      {run.error ? (
        <Text fontSize="xs" color="fg.error" mt="1" overflowWrap="anywhere">
          {run.error.message}
        </Text>
      ) : null}
    </Box>
  );
}

function Same({ children }: { readonly children: React.ReactNode }) {
  return (
    <Text px="3" py="2" color="fg.muted">
      {children}
    </Text>
  );
}
