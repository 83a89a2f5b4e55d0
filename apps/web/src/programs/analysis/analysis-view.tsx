import { Box, Flex } from "@chakra-ui/react";
import type { Analysis } from "@syla/sdk";
import { useSearchParams } from "react-router";
import { formatCount } from "../../ui/format.ts";
import { TabLinks } from "../../ui/tab-links.tsx";
import { CodePane } from "./code-pane.tsx";
import { Findings } from "./finding-lists.tsx";
import { countOf, partLabels, partOf, parts } from "./findings.ts";
import type { Place } from "./place.ts";

/** An analysis: its parts as tabs, the code of what is chosen beside them. Tab and choice are in the address. */
export function AnalysisView({ analysis }: { readonly analysis: Analysis }) {
  const [search, setSearch] = useSearchParams();
  const part = partOf(search.get("part"), analysis);
  const chosen = readPlace(search);
  const address = (changes: Readonly<Record<string, string | null>>) => changed(search, changes);
  const select = (place: Place) =>
    setSearch(address({ part, file: place.file, line: numberText(place.line), cell: numberText(place.cell) }), { replace: true });
  const isSelected = (place: Place) =>
    chosen !== null && place.file === chosen.file && place.line === chosen.line && (place.cell ?? null) === (chosen.cell ?? null);
  return (
    <Flex direction="column" flex={{ base: "0 0 auto", lg: "1" }} minH="0">
      <TabLinks
        label="Findings"
        tabs={parts.map((name) => ({
          to: `?${address({ part: name, file: null, line: null, cell: null })}`,
          label: partLabels[name],
          current: name === part,
          count: formatCount(countOf(analysis, name)),
        }))}
      />
      <Flex direction={{ base: "column", lg: "row" }} flex={{ base: "0 0 auto", lg: "1" }} minH="0">
        <Box
          flex={{ base: "0 0 auto", lg: "1 1 50%" }}
          minW="0"
          overflowY={{ lg: "auto" }}
          role="region"
          aria-label={partLabels[part]}
          tabIndex={0}
          outlineOffset="-2px"
        >
          <Findings analysis={analysis} part={part} isSelected={isSelected} onSelect={select} />
        </Box>
        {/* On a small screen the code of what is chosen stays in sight below the list. */}
        <Box
          flex={{ base: "0 0 auto", lg: "1 1 50%" }}
          hideBelow={chosen === null ? "lg" : undefined}
          position={{ base: "sticky", lg: "static" }}
          bottom="0"
          minW="0"
          maxH={{ base: "45dvh", lg: "none" }}
          overflowY="auto"
          bg="bg"
          borderLeftWidth={{ lg: "1px" }}
          borderTopWidth={{ base: "1px", lg: "0" }}
          borderColor="border"
        >
          <CodePane runId={analysis.runId} place={chosen} />
        </Box>
      </Flex>
    </Flex>
  );
}

function readPlace(search: URLSearchParams): Place | null {
  const file = search.get("file");
  return file === null ? null : { file, line: readNumber(search.get("line")), cell: readNumber(search.get("cell")) };
}

function readNumber(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function numberText(value: number | null | undefined): string | null {
  return typeof value === "number" ? String(value) : null;
}

function changed(search: URLSearchParams, changes: Readonly<Record<string, string | null>>): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  return next;
}
