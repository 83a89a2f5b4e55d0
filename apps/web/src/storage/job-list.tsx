import { Box, Button, Flex, Spinner, Text } from "@chakra-ui/react";
import type { StorageJob } from "@syla/sdk";
import { CircleCheck, CircleSlash, CircleX, Wrench } from "lucide-react";
import { EmptyState } from "../ui/empty-state.tsx";
import { formatBytes, formatCount, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

interface JobListProps {
  readonly jobs: readonly StorageJob[];
  readonly isStopping: boolean;
  readonly onStop: (id: string) => void;
  readonly onRead: (id: string) => void;
}

const kindWords: Readonly<Record<StorageJob["kind"], string>> = {
  check: "Check",
  repair: "Check and repair",
  collect: "Collection",
  measure: "Measurement",
  copy: "Copy to the other store",
  cool: "Move to the bucket",
  recall: "Take back from the bucket",
};

/** What was done to the store lately, the newest first; what runs can be stopped. */
export function JobList({ jobs, ...actions }: JobListProps) {
  return (
    <Section heading="Jobs">
      {jobs.length === 0 ? (
        <EmptyState icon={Wrench} title="No job yet">
          The server collects once a day by itself; everything else is started here or with `syla server storage`.
        </EmptyState>
      ) : (
        <Box as="ul" listStyleType="none" aria-label="Jobs">
          {jobs.map((job) => (
            <JobRow key={job.id} job={job} {...actions} />
          ))}
        </Box>
      )}
    </Section>
  );
}

function JobRow({ job, isStopping, onStop, onRead }: { readonly job: StorageJob } & Omit<JobListProps, "jobs">) {
  const { id, kind, state, startedAt, report } = job;
  return (
    <Flex
      as="li"
      align="center"
      columnGap="4"
      rowGap="1"
      wrap="wrap"
      px="4"
      py="2.5"
      borderBottomWidth="1px"
      borderColor="border"
      _last={{ borderBottomWidth: "0" }}
    >
      <Box minW="0" flex="1 1 240px">
        <Flex align="center" gap="1.5">
          <StateIcon state={state} />
          <Text fontWeight="medium">{kindWords[kind]}</Text>
        </Flex>
        <Text fontSize="xs" color="fg.muted" role={state === "running" ? "status" : undefined} overflowWrap="anywhere">
          {describe(job)}
        </Text>
        {report.error === null ? null : (
          <Text fontSize="xs" color="fg.error" overflowWrap="anywhere">
            {report.error}
          </Text>
        )}
      </Box>
      {report.findingCount > 0 ? (
        <Button size="xs" variant="outline" onClick={() => onRead(id)}>
          {formatCount(report.findingCount)} not whole
        </Button>
      ) : null}
      {state === "running" ? (
        <Button size="xs" variant="outline" loading={isStopping || job.isStopping} onClick={() => onStop(id)}>
          {kind === "copy" ? "Pause" : "Stop"}
        </Button>
      ) : null}
      <Box fontSize="xs" color="fg.muted" minW="80px" textAlign="right">
        <TimeAgo time={startedAt} />
      </Box>
    </Flex>
  );
}

function StateIcon({ state }: Pick<StorageJob, "state">) {
  if (state === "running") return <Spinner size="xs" borderWidth="2px" aria-label="running" />;
  const [Icon, color] = ({ done: [CircleCheck, "fg.success"], failed: [CircleX, "fg.error"], stopped: [CircleSlash, "fg.muted"] } as const)[
    state
  ];
  return (
    <Box as="span" color={color} role="img" aria-label={state}>
      <Icon size={14} aria-hidden />
    </Box>
  );
}

function describe({ kind, state, report }: StorageJob): string {
  const looked = `${formatPlural(report.blobs, "blob")}, ${formatBytes(report.bytes)}`;
  if (kind === "copy")
    return `${looked}; ${formatCount(report.copied)} copied${state === "stopped" ? "; it goes on when it is started again" : ""}`;
  if (kind === "cool" || kind === "recall") return `${formatCount(report.copied)} of ${looked} moved`;
  if (kind === "collect")
    return `${looked}; ${formatCount(report.unreferenced)} without a reference, ${formatCount(report.deleted)} deleted, ${formatBytes(report.deletedBytes)} freed`;
  return looked;
}
