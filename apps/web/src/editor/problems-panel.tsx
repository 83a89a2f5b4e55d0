import { Box, Button, chakra, Flex, Spinner, Text } from "@chakra-ui/react";
import type { AnalysisProblem } from "@syla/sdk";
import { CircleAlert, Info, type LucideIcon, RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { describePlace } from "../programs/analysis/place.ts";
import { formatPlural } from "../ui/format.ts";

interface ProblemsPanelProps {
  readonly items: readonly AnalysisProblem[];
  /** So many more were found and left out. */
  readonly leftOut: number;
  /** They are of files as they were before. */
  readonly isStale: boolean;
  readonly isBusy: boolean;
  /** Why nobody could look. */
  readonly failure: { readonly message: string; readonly hint: string | null } | null;
  readonly hasEdits: boolean;
  readonly onLook: () => void;
  readonly onOpen: (path: string, line: number, column: number) => void;
}

/** What is wrong with the files, the worst first; choosing one goes there. */
export function ProblemsPanel({ items, leftOut, isStale, isBusy, failure, hasEdits, onLook, onOpen }: ProblemsPanelProps) {
  return (
    <Box h="100%" overflowY="auto" role="region" aria-label="Problems" tabIndex={0} outlineOffset="-2px" fontSize="xs">
      <Flex role="status" align="center" gap="2" px="3" py="1.5" color="fg.muted" minH="9">
        {isBusy ? (
          <>
            <Spinner size="xs" /> Reading the files …
          </>
        ) : failure !== null ? (
          <>
            <Text color="fg.error">
              {failure.message} {failure.hint}
            </Text>
            <Again onLook={onLook} />
          </>
        ) : isStale ? (
          <>
            These are of the files before they changed. <Again onLook={onLook} />
          </>
        ) : (
          <>
            {items.length === 0 ? "Nothing is wrong, as far as reading the files tells." : countsOf(items)}
            {hasEdits ? " What is not saved was not read." : ""}
          </>
        )}
      </Flex>
      {items.map((problem, index) => (
        <ProblemRow key={index} problem={problem} onOpen={onOpen} />
      ))}
      {leftOut > 0 ? (
        <Text px="3" py="1" color="fg.muted">
          and {formatPlural(leftOut, "more problem")}
        </Text>
      ) : null}
    </Box>
  );
}

function Again({ onLook }: { readonly onLook: () => void }) {
  return (
    <Button size="2xs" variant="outline" onClick={onLook}>
      <RotateCw aria-hidden /> Read again
    </Button>
  );
}

const looks: Readonly<Record<AnalysisProblem["severity"], { readonly icon: LucideIcon; readonly color: string; readonly word: string }>> = {
  error: { icon: CircleAlert, color: "fg.error", word: "error" },
  warning: { icon: TriangleAlert, color: "fg.warning", word: "warning" },
  info: { icon: Info, color: "fg.info", word: "note" },
};

function ProblemRow({ problem, onOpen }: { readonly problem: AnalysisProblem; readonly onOpen: ProblemsPanelProps["onOpen"] }) {
  const { file, line, column, cell, message, severity } = problem;
  const { icon: Icon, color, word } = looks[severity];
  const content: ReactNode = (
    <>
      <chakra.span role="img" aria-label={word} color={color} flexShrink="0" pt="0.5">
        <Icon size={14} aria-hidden />
      </chakra.span>
      <chakra.span flex="1" minW="0" overflowWrap="anywhere">
        {message}
      </chakra.span>
      {file === null ? null : (
        <chakra.span fontFamily="mono" color="fg.muted" maxW="50%" truncate title={file}>
          {describePlace({ file, line, column, cell })}
        </chakra.span>
      )}
    </>
  );
  const row = { display: "flex", alignItems: "flex-start", gap: "2", w: "100%", px: "3", py: "1", textAlign: "left" } as const;
  if (file === null) return <Box {...row}>{content}</Box>;
  return (
    <chakra.button
      type="button"
      {...row}
      cursor="pointer"
      outlineOffset="-2px"
      _hover={{ bg: "bg.muted" }}
      onClick={() => onOpen(file, cell === null ? (line ?? 1) : 1, cell === null ? (column ?? 1) : 1)}
    >
      {content}
    </chakra.button>
  );
}

/** `2 errors, 1 warning.` */
function countsOf(problems: readonly AnalysisProblem[]): string {
  const counts = (["error", "warning", "info"] as const).flatMap((severity) => {
    const count = problems.filter((problem) => problem.severity === severity).length;
    return count === 0 ? [] : [formatPlural(count, looks[severity].word)];
  });
  return `${counts.join(", ")}.`;
}
