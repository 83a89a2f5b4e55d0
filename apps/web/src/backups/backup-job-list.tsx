import { Box, Button, Flex, Spinner, Text } from "@chakra-ui/react";
import type { BackupJob } from "@syla/sdk";
import { CircleCheck, CircleSlash, CircleX } from "lucide-react";
import { formatBytes, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

interface BackupJobListProps {
  readonly jobs: readonly BackupJob[];
  readonly isStopping: boolean;
  readonly onStop: (id: string) => void;
}

const kindWords: Readonly<Record<BackupJob["kind"], string>> = {
  create: "Backup",
  verify: "Verification",
  delete: "Deletion",
  restore: "Restoring of a workspace",
};

/** What was done to backups lately, the newest first. */
export function BackupJobList({ jobs, isStopping, onStop }: BackupJobListProps) {
  if (jobs.length === 0) return null;
  return (
    <Section heading="Jobs">
      <Box as="ul" listStyleType="none" aria-label="Jobs on backups">
        {jobs.map((job) => (
          <Flex
            as="li"
            key={job.id}
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
                <StateIcon state={job.state} />
                <Text fontWeight="medium">{kindWords[job.kind]}</Text>
              </Flex>
              <Text fontSize="xs" color="fg.muted" role={job.state === "running" ? "status" : undefined} overflowWrap="anywhere">
                {describe(job)}
              </Text>
              {[...(job.report.error === null ? [] : [job.report.error]), ...job.report.problems.slice(0, 5)].map((problem) => (
                <Text key={problem} fontSize="xs" color="fg.error" overflowWrap="anywhere">
                  {problem}
                </Text>
              ))}
            </Box>
            {job.state === "running" ? (
              <Button size="xs" variant="outline" loading={isStopping || job.isStopping} onClick={() => onStop(job.id)}>
                Stop
              </Button>
            ) : null}
            <Box ml="auto" fontSize="xs" color="fg.muted" minW="80px" textAlign="right">
              <TimeAgo time={job.startedAt} />
            </Box>
          </Flex>
        ))}
      </Box>
    </Section>
  );
}

function StateIcon({ state }: Pick<BackupJob, "state">) {
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

function describe({ kind, state, report }: BackupJob): string {
  if (kind === "verify") {
    const looked = `${formatPlural(report.objects, "object")}, ${formatBytes(report.bytes)}`;
    return state === "done"
      ? `${looked}: ${report.problemCount === 0 ? "all are whole" : formatPlural(report.problemCount, "problem")}`
      : looked;
  }
  if (kind === "delete") return `${formatPlural(report.objects, "object")} removed, ${formatBytes(report.bytes)}`;
  return `${formatPlural(report.blobs, "blob")}, ${formatBytes(report.bytes)}; ${formatBytes(report.newBytes)} new`;
}
