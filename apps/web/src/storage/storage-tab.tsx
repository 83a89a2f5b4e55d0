import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { StorageJob, StorageStatus } from "@syla/sdk";
import { useState } from "react";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes, formatCount, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { FindingsDialog } from "./findings-dialog.tsx";
import { JobList } from "./job-list.tsx";
import { useStartStorageJob, useStorage, useStopStorageJob } from "./queries.ts";
import { UsageSection } from "./usage-section.tsx";

/** Where content is stored, how much of it, and the care of it. */
export function StorageTab() {
  const storage = useStorage();
  const start = useStartStorageJob();
  const stop = useStopStorageJob();
  const [reading, setReading] = useState<string | null>(null);
  if (storage.isError) return <ErrorPanel error={storage.error} onRetry={() => void storage.refetch()} />;
  if (!storage.data) return <SkeletonRows rows={8} />;
  const status = storage.data;
  const problem = start.error ?? stop.error;
  const isBusy = start.isPending || status.jobs.some((job) => job.state === "running");
  const begin = (kind: StorageJob["kind"]) => (
    <Button size="xs" variant="outline" disabled={isBusy} onClick={() => start.mutate(kind)}>
      {startLabels[kind]}
    </Button>
  );
  return (
    <>
      {problem ? (
        <Box mb="4">
          <ErrorPanel error={problem} />
        </Box>
      ) : null}
      <UsageSection usage={status.usage} action={begin("measure")} />
      <Section heading="Garbage collection" note={begin("collect")}>
        <CollectionFacts status={status} />
      </Section>
      <Section
        heading="Integrity"
        note={
          <Flex as="span" gap="2">
            {begin("check")}
            {begin("repair")}
          </Flex>
        }
      >
        <IntegrityFacts status={status} />
      </Section>
      <Section heading="Place" note={status.copyTarget === null ? null : begin("copy")}>
        <PlaceFacts status={status} />
      </Section>
      {status.cold === null ? null : (
        <Section
          heading="Not read for long"
          note={
            <Flex as="span" gap="2">
              {status.cold.afterDays === null ? null : begin("cool")}
              {begin("recall")}
            </Flex>
          }
        >
          <ColdFacts cold={status.cold} />
        </Section>
      )}
      <JobList jobs={status.jobs} isStopping={stop.isPending} onStop={(id) => stop.mutate(id)} onRead={setReading} />
      {reading === null ? null : <FindingsDialog id={reading} onClose={() => setReading(null)} />}
    </>
  );
}

const startLabels: Readonly<Record<StorageJob["kind"], string>> = {
  measure: "Measure now",
  collect: "Collect now",
  check: "Check everything",
  repair: "Check and repair",
  copy: "Copy to the other store",
  cool: "Move now",
  recall: "Take everything back",
};

interface FactsProps {
  readonly status: StorageStatus;
}

const newest = (status: StorageStatus, ...kinds: StorageJob["kind"][]) =>
  status.jobs.find((job) => kinds.includes(job.kind) && job.state !== "running");

function CollectionFacts({ status }: FactsProps) {
  const last = newest(status, "collect");
  return (
    <DefinitionList
      items={[
        ["Last", last === undefined ? "not yet" : <TimeAgo key="last" time={last.startedAt} />],
        [
          "It freed",
          last === undefined ? null : `${formatBytes(last.report.deletedBytes)} in ${formatPlural(last.report.deleted, "blob")}`,
        ],
        ["Next by itself", <TimeAgo key="next" time={status.nextCollectionAt} />],
        [
          "Waiting",
          `${formatPlural(status.unreferenced, "blob")} that nothing refers to; deleted after ${formatPlural(status.graceHours, "hour")} without a reference`,
        ],
      ]}
    />
  );
}

function IntegrityFacts({ status }: FactsProps) {
  const last = newest(status, "check", "repair");
  const open = last?.report.findingCount ?? 0;
  return (
    <DefinitionList
      items={[
        ["Last check", last === undefined ? "not yet" : <TimeAgo key="last" time={last.startedAt} />],
        [
          "Result",
          last === undefined ? null : (
            <Text key="result" as="span" color={open > 0 ? "fg.error" : "fg.success"}>
              {open === 0 ? `all ${formatPlural(last.report.blobs, "blob")} are whole` : `${formatCount(open)} damaged or missing`}
            </Text>
          ),
        ],
        ["Restored from", status.replicas.length === 0 ? "nothing: there is no other store and no backup" : status.replicas.join(", ")],
      ]}
    />
  );
}

function ColdFacts({ cold }: { readonly cold: NonNullable<StorageStatus["cold"]> }) {
  const rule =
    cold.afterDays === null
      ? "nothing any more: SYLA_STORAGE_COLD_DAYS is not set"
      : `content above 64 KiB that nobody has read for ${formatPlural(cold.afterDays, "day")}; it comes back when somebody reads it`;
  return (
    <DefinitionList
      items={[
        ["In the bucket", `${formatBytes(cold.bytes)} in ${formatPlural(cold.blobs, "blob")}: ${cold.place}`],
        ["What goes there", rule],
      ]}
    />
  );
}

function PlaceFacts({ status }: FactsProps) {
  const last = newest(status, "copy");
  const isCopied = last?.state === "done" && last.report.findingCount === 0;
  return (
    <>
      <DefinitionList
        items={[
          ["Content is in", `${status.store === "s3" ? "a bucket" : "the data directory"}: ${status.place}`],
          ["Other store", status.copyTarget ?? "none; give the SYLA_S3_… settings of a bucket to have one"],
          ["Last copy", last === undefined ? null : <TimeAgo key="copy" time={last.startedAt} />],
        ]}
      />
      <Text px="4" pb="3" fontSize="xs" color="fg.muted">
        {isCopied
          ? "Everything is there as well. To change over: ./syla down, set SYLA_STORAGE, ./syla server storage move, ./syla up. Only what came since is copied then."
          : "A copy is made while people work. Stopped, it goes on where it was when it is started again."}
      </Text>
    </>
  );
}
