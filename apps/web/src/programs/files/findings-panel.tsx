import { Box, Button, Flex, Spinner, Text } from "@chakra-ui/react";
import type { AnalysisDocument, ProgramAnalysis } from "@syla/sdk";
import { RotateCw, SearchCheck } from "lucide-react";
import type { ReactNode } from "react";
import { Findings } from "../analysis/finding-lists.tsx";
import { countOf, type Part, partLabels } from "../analysis/findings.ts";
import type { Place } from "../analysis/place.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { FilterChip } from "../../ui/filter-chip.tsx";
import { formatCount, formatPlural } from "../../ui/format.ts";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import type { Looking } from "./use-looking.ts";

/** What is shown beside the code. */
const parts: readonly Part[] = ["slots", "calls", "problems", "secrets", "variables", "entrypoints"];

interface FindingsPanelProps {
  readonly looking: Looking;
  /** How many files there are to look at. */
  readonly fileCount: number;
  readonly part: Part | null;
  readonly onPart: (part: Part) => void;
  readonly place: Place | null;
  readonly onPlace: (place: Place) => void;
}

/** Slots, calls and problems of the shown files; choosing one goes to its line. */
export function FindingsPanel({ looking, fileCount, part, onPart, place, onPlace }: FindingsPanelProps) {
  const { found, error, isBusy, isStale, look } = looking;
  if (error) return <ErrorPanel error={error} onRetry={look} />;
  if (found === undefined) return <SkeletonRows rows={3} />;
  const { analysis } = found;
  return (
    <Flex direction="column" minH="0" h="100%">
      <Standing found={found} isBusy={isBusy} isStale={isStale} fileCount={fileCount} onLook={look} />
      {analysis === null ? null : <FoundParts analysis={analysis} part={part} onPart={onPart} place={place} onPlace={onPlace} />}
    </Flex>
  );
}

interface StandingProps {
  readonly found: ProgramAnalysis;
  readonly isBusy: boolean;
  readonly isStale: boolean;
  readonly fileCount: number;
  readonly onLook: () => void;
}

/** Where the analysis stands, as far as there is something to say about it. */
function Standing({ found, isBusy, isStale, fileCount, onLook }: StandingProps) {
  if (isBusy)
    return (
      <Note>
        <Spinner size="xs" />
        <Text role="status">Reading {formatPlural(fileCount, "file")} …</Text>
      </Note>
    );
  if (found.state === "failed" && found.error !== null)
    return (
      <Box role="alert" px="3" py="2" bg="bg.error" borderBottomWidth="1px" borderColor="border.error">
        <Text fontWeight="medium">{found.error.message}</Text>
        <Text fontSize="xs">{found.error.hint}</Text>
        <Flex mt="1" align="center" gap="3" fontSize="xs" color="fg.muted">
          <Text as="span" fontFamily="mono">
            {found.error.code}
          </Text>
          <LookButton label="Try again" onLook={onLook} />
        </Flex>
      </Box>
    );
  if (isStale)
    return (
      <Note>
        <Text role="status">These are of the files before they changed.</Text>
        <LookButton label="Read again" onLook={onLook} />
      </Note>
    );
  if (found.state === "none")
    return (
      <EmptyState icon={SearchCheck} title="Not looked at yet" action={<LookButton label="Read the files" onLook={onLook} />}>
        Slots, calls of models and problems are read from the files. Nothing of them is run.
      </EmptyState>
    );
  if (found.analysis?.complete === false)
    return (
      <Note>
        <Text>There was no time for {formatPlural(found.analysis.files.unread, "file")}.</Text>
        <LookButton label="Read again" onLook={onLook} />
      </Note>
    );
  return null;
}

function Note({ children }: { readonly children: ReactNode }) {
  return (
    <Flex align="center" gap="2" wrap="wrap" px="3" py="1.5" fontSize="xs" color="fg.muted" borderBottomWidth="1px" borderColor="border">
      {children}
    </Flex>
  );
}

function LookButton({ label, onLook }: { readonly label: string; readonly onLook: () => void }) {
  return (
    <Button size="2xs" variant="outline" onClick={onLook}>
      <RotateCw aria-hidden /> {label}
    </Button>
  );
}

interface FoundPartsProps extends Pick<FindingsPanelProps, "part" | "onPart" | "place" | "onPlace"> {
  readonly analysis: AnalysisDocument;
}

/** The parts of an analysis, one of them shown. */
export function FoundParts({ analysis, part, onPart, place, onPlace }: FoundPartsProps) {
  const shown = part ?? parts.find((name) => analysis[name].length > 0) ?? "slots";
  const isSelected = (other: Place) =>
    place !== null && other.file === place.file && other.line === place.line && (other.cell ?? null) === (place.cell ?? null);
  return (
    <>
      <Flex role="group" aria-label="Findings" gap="1" wrap="wrap" px="3" py="2" borderBottomWidth="1px" borderColor="border">
        {parts.map((name) => (
          <FilterChip key={name} pressed={name === shown} onClick={() => onPart(name)}>
            {partLabels[name]} {formatCount(countOf(analysis, name))}
          </FilterChip>
        ))}
      </Flex>
      <Box flex="1" minH="0" overflowY="auto" role="region" aria-label={partLabels[shown]} tabIndex={0} outlineOffset="-2px">
        <Findings analysis={analysis} part={shown} isSelected={isSelected} onSelect={onPlace} />
      </Box>
    </>
  );
}
