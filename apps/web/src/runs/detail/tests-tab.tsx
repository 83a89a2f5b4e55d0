import { Box, Button, Flex, Grid, Text } from "@chakra-ui/react";
import type { FileCoverage, Run, TestDetail, TestResult, TestSummary, TestVerdict } from "@syla/sdk";
import {
  ChevronRight,
  CircleCheck,
  CircleDashed,
  CircleX,
  EyeOff,
  FileX,
  type LucideIcon,
  MemoryStick,
  OctagonX,
  TimerOff,
} from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes, formatDuration } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { useTestReport } from "../queries.ts";

interface VerdictLook {
  readonly label: string;
  readonly color: string;
  readonly icon: LucideIcon;
}

/** How each verdict is written and drawn: always a word and a shape, never colour alone. */
const verdictLooks: Readonly<Record<TestVerdict, VerdictLook>> = {
  accepted: { label: "Accepted", color: "fg.success", icon: CircleCheck },
  wrong_answer: { label: "Wrong answer", color: "fg.error", icon: CircleX },
  time_limit: { label: "Time limit", color: "fg.warning", icon: TimerOff },
  memory_limit: { label: "Memory limit", color: "fg.warning", icon: MemoryStick },
  runtime_error: { label: "Runtime error", color: "fg.error", icon: OctagonX },
  compile_error: { label: "Compile error", color: "fg.error", icon: FileX },
  skipped: { label: "Skipped", color: "fg.muted", icon: CircleDashed },
};

/** The verdict of each test case; what an open one was given and printed; which lines ran. */
export function TestsTab({ run, tests }: { readonly run: Run; readonly tests: TestSummary }) {
  const report = useTestReport(run.id);
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="1120px">
      <Section heading="Test cases" note={`${tests.passed} of ${tests.total} accepted`}>
        <Box role="table" aria-label="Test cases">
          <CaseHead />
          {tests.cases.map((result, index) => (
            <CaseRow key={index} result={result} detail={report.data?.details[index] ?? null} />
          ))}
        </Box>
      </Section>
      {report.isError ? <ErrorPanel error={report.error} onRetry={() => void report.refetch()} /> : null}
      {report.data?.coverage ? <Coverage runId={run.id} files={report.data.coverage} total={tests.coverage} /> : null}
    </Box>
  );
}

const columns = { base: "20px minmax(0, 1fr) 116px", md: "20px minmax(0, 2fr) 140px 72px 80px minmax(0, 3fr)" };

function CaseHead() {
  return (
    <Grid
      role="row"
      templateColumns={columns}
      columnGap="3"
      px="3"
      py="1.5"
      fontSize="xs"
      color="fg.muted"
      borderBottomWidth="1px"
      borderColor="border"
    >
      <Box role="columnheader" aria-label="Details" />
      <Box role="columnheader">Case</Box>
      <Box role="columnheader">Verdict</Box>
      <Box role="columnheader" textAlign="right" hideBelow="md">
        Time
      </Box>
      <Box role="columnheader" textAlign="right" hideBelow="md">
        Memory
      </Box>
      <Box role="columnheader" hideBelow="md">
        What is wrong
      </Box>
    </Grid>
  );
}

function CaseRow({ result, detail }: { readonly result: TestResult; readonly detail: TestDetail | null }) {
  const [open, setOpen] = useState(false);
  const { label, color, icon: Icon } = verdictLooks[result.verdict];
  return (
    <Box borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }} role="rowgroup">
      <Grid role="row" templateColumns={columns} columnGap="3" px="3" minH="9" alignItems="center">
        <Box role="cell">
          {result.hidden ? (
            <Box color="fg.subtle" role="img" aria-label="Hidden case">
              <EyeOff size={14} aria-hidden />
            </Box>
          ) : (
            <Button
              size="2xs"
              variant="ghost"
              px="0"
              minW="5"
              aria-expanded={open}
              aria-label={`Details of ${result.name}`}
              disabled={detail === null}
              onClick={() => setOpen(!open)}
            >
              <Box as="span" transform={open ? "rotate(90deg)" : undefined}>
                <ChevronRight size={14} aria-hidden />
              </Box>
            </Button>
          )}
        </Box>
        <Text role="cell" truncate title={result.name}>
          {result.name}
        </Text>
        <Flex role="cell" align="center" gap="1.5" color={color} whiteSpace="nowrap">
          <Icon size={16} aria-hidden />
          <Text as="span" fontWeight="medium">
            {label}
          </Text>
        </Flex>
        <Text role="cell" textAlign="right" fontVariantNumeric="tabular-nums" hideBelow="md">
          {result.runMs === null ? "" : formatDuration(result.runMs)}
        </Text>
        <Text role="cell" textAlign="right" fontVariantNumeric="tabular-nums" hideBelow="md">
          {result.peakMemoryBytes === null ? "" : formatBytes(result.peakMemoryBytes)}
        </Text>
        <Text role="cell" color="fg.muted" overflowWrap="anywhere" gridColumn={{ base: "2 / -1", md: "auto" }} pb={{ base: "1", md: "0" }}>
          {result.message}
        </Text>
      </Grid>
      {open && detail !== null ? <CaseDetail detail={detail} /> : null}
    </Box>
  );
}

function CaseDetail({ detail }: { readonly detail: TestDetail }) {
  const parts = [
    ["Standard input", detail.stdin],
    ["Expected", detail.expected],
    ["Output", detail.stdout],
    ["Error output", detail.stderr],
  ] as const;
  const shown = parts.filter(([name, text]) => text !== null && (text !== "" || name === "Output" || name === "Expected"));
  return (
    <Grid templateColumns={{ base: "1fr", md: "repeat(2, minmax(0, 1fr))" }} gap="3" px="3" pb="3" pl={{ base: "3", md: "44px" }}>
      {shown.map(([name, text]) => (
        <Box key={name} minW="0">
          <Text fontSize="xs" color="fg.muted" mb="1">
            {name}
          </Text>
          <Box
            as="pre"
            tabIndex={0}
            aria-label={name}
            fontFamily="mono"
            fontSize="xs"
            lineHeight="18px"
            p="2"
            maxH="240px"
            overflow="auto"
            borderWidth="1px"
            borderColor="border.muted"
            rounded="sm"
            bg="bg.subtle"
          >
            {text === "" ? (
              <Text as="span" color="fg.subtle">
                nothing
              </Text>
            ) : (
              text
            )}
          </Box>
        </Box>
      ))}
    </Grid>
  );
}

interface CoverageProps {
  readonly runId: string;
  readonly files: readonly FileCoverage[];
  readonly total: TestSummary["coverage"];
}

function Coverage({ runId, files, total }: CoverageProps) {
  const note =
    total === null || total.total === 0
      ? ""
      : `${Math.round((100 * total.covered) / total.total)} % of ${total.total} ${total.total === 1 ? "line" : "lines"} ran`;
  return (
    <Section heading="Coverage" note={note}>
      {files.map((file) => (
        <Grid
          key={file.path}
          templateColumns={{ base: "minmax(0, 1fr) 80px", md: "minmax(0, 2fr) 160px minmax(0, 3fr)" }}
          columnGap="3"
          px="3"
          py="2"
          alignItems="center"
          borderBottomWidth="1px"
          borderColor="border.muted"
          _last={{ borderBottomWidth: "0" }}
        >
          <Text fontFamily="mono" fontSize="xs" truncate>
            {file.path}
          </Text>
          <Flex align="center" gap="2">
            <Box flex="1" h="1.5" rounded="full" bg="bg.emphasized" overflow="hidden" hideBelow="md">
              <Box h="full" bg="fg.success" w={`${(100 * file.covered) / Math.max(1, file.total)}%`} />
            </Box>
            <Text fontSize="xs" fontVariantNumeric="tabular-nums" whiteSpace="nowrap">
              {file.covered} / {file.total}
            </Text>
          </Flex>
          <Text fontSize="xs" color="fg.muted" gridColumn={{ base: "1 / -1", md: "auto" }}>
            {file.missed.length === 0 ? "every line ran" : "never ran: "}
            {file.missed.slice(0, 40).map((line, index) => (
              <Text as="span" key={line}>
                {index === 0 ? "" : ", "}
                <Text as="span" textDecoration="underline">
                  <Link to={`/runs/${runId}?tab=configuration&file=${encodeURIComponent(file.path)}&line=${line}`}>{line}</Link>
                </Text>
              </Text>
            ))}
            {file.missed.length > 40 ? ` and ${file.missed.length - 40} more` : ""}
          </Text>
        </Grid>
      ))}
    </Section>
  );
}
