import { Text } from "@chakra-ui/react";
import type { AnalysisDocument } from "@syla/sdk";
import { SearchCheck } from "lucide-react";
import { EmptyState } from "../../ui/empty-state.tsx";
import { formatPlural } from "../../ui/format.ts";
import { emptyNotes, type ListProps, type Part, partLabels } from "./findings.ts";
import { CallList, DependencyList, EntrypointList, ProblemList, SecretList, VariableList } from "./other-lists.tsx";
import { SlotList } from "./slot-list.tsx";

interface FindingsProps extends Pick<ListProps<never>, "isSelected" | "onSelect"> {
  readonly analysis: AnalysisDocument;
  readonly part: Part;
}

/** One part of an analysis as a list, or why it is empty. */
export function Findings({ analysis, part, ...list }: FindingsProps) {
  if (analysis[part].length === 0)
    return (
      <EmptyState icon={SearchCheck} title={`No ${partLabels[part].toLowerCase()}`}>
        {emptyNotes[part]}
      </EmptyState>
    );
  const more = analysis.leftOut[part];
  return (
    <>
      <FindingList analysis={analysis} part={part} {...list} />
      {more > 0 ? (
        <Text px="4" py="2" color="fg.muted" fontSize="xs">
          and {formatPlural(more, "more finding")} that {more === 1 ? "was" : "were"} left out
        </Text>
      ) : null}
    </>
  );
}

function FindingList({ analysis, part, ...list }: FindingsProps) {
  switch (part) {
    case "slots":
      return <SlotList items={analysis.slots} {...list} />;
    case "calls":
      return <CallList items={analysis.calls} {...list} />;
    case "entrypoints":
      return <EntrypointList items={analysis.entrypoints} {...list} />;
    case "dependencies":
      return <DependencyList items={analysis.dependencies} {...list} />;
    case "variables":
      return <VariableList items={analysis.variables} {...list} />;
    case "secrets":
      return <SecretList items={analysis.secrets} {...list} />;
    case "problems":
      return <ProblemList items={analysis.problems} {...list} />;
  }
}
