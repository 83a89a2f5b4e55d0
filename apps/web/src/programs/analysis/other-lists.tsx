import { Text } from "@chakra-ui/react";
import type { AnalysedCall, AnalysedDependency, AnalysedEntrypoint, AnalysedSecret, AnalysedVariable, AnalysisProblem } from "@syla/sdk";
import { FindingMark, FindingNote, FindingRow } from "./finding-row.tsx";
import type { ListProps } from "./findings.ts";

/** Where the program uses mellea. */
export function CallList({ items, isSelected, onSelect }: ListProps<AnalysedCall>) {
  return items.map((call, index) => (
    <FindingRow key={index} place={call} selected={isSelected(call)} onSelect={onSelect} title={<CallTitle call={call} />}>
      {call.text === null ? null : <FindingNote>“{call.text}”</FindingNote>}
      {call.requirements.length === 0 ? null : <FindingNote>Requires: {call.requirements.join(" · ")}</FindingNote>}
      {call.strategy === null && call.backend === null && call.modelId === null ? null : (
        <FindingNote>{[call.strategy, call.backend, call.modelId].filter((part) => part !== null).join(" · ")}</FindingNote>
      )}
    </FindingRow>
  ));
}

function CallTitle({ call }: { readonly call: AnalysedCall }) {
  return (
    <>
      <FindingMark>{call.kind}</FindingMark>
      <Text as="span" fontFamily="mono" fontSize="sm">
        {call.name}
      </Text>
      {call.within === null ? null : <Text as="span" color="fg.muted">{` in ${call.within}`}</Text>}
      {call.certain ? null : (
        <Text as="span" color="fg.warning">
          {" likely"}
        </Text>
      )}
    </>
  );
}

/** Where the program may be started. */
export function EntrypointList({ items, isSelected, onSelect }: ListProps<AnalysedEntrypoint>) {
  return items.map((entry, index) => (
    <FindingRow
      key={index}
      place={entry}
      selected={isSelected(entry)}
      onSelect={onSelect}
      title={
        <Text as="span" fontFamily="mono" fontSize="sm">
          {entry.target ?? entry.name}
        </Text>
      }
    >
      <FindingNote>
        {Math.round(entry.confidence * 100)} % sure. {entry.reason}
      </FindingNote>
    </FindingRow>
  ));
}

/** What the program needs from elsewhere. */
export function DependencyList({ items, isSelected, onSelect }: ListProps<AnalysedDependency>) {
  return items.map((dependency, index) => (
    <FindingRow
      key={index}
      place={dependency}
      selected={isSelected(dependency)}
      onSelect={onSelect}
      title={
        <Text as="span" fontFamily="mono" fontSize="sm">
          <Text as="span" fontWeight="semibold">
            {dependency.name}
          </Text>
          {dependency.extras.length === 0 ? "" : `[${dependency.extras.join(",")}]`} {dependency.constraint ?? ""}
        </Text>
      }
    >
      <FindingNote>{describeDependency(dependency)}</FindingNote>
    </FindingRow>
  ));
}

function describeDependency({ source, group, marker, url, hashes }: AnalysedDependency): string {
  const pinned = hashes === 0 ? null : `${hashes} ${hashes === 1 ? "hash" : "hashes"}`;
  const from = source === "imports" ? "found by its import" : source;
  return [from, group, marker === null ? null : `when ${marker}`, url, pinned].filter((part) => part !== null).join(" · ");
}

/** Files and lines that look like secrets. */
export function SecretList({ items, isSelected, onSelect }: ListProps<AnalysedSecret>) {
  return items.map((secret, index) => (
    <FindingRow key={index} place={secret} selected={isSelected(secret)} onSelect={onSelect} title={secret.reason} />
  ));
}

/** Environment variables that the program reads. */
export function VariableList({ items, isSelected, onSelect }: ListProps<AnalysedVariable>) {
  return items.map((variable, index) => (
    <FindingRow
      key={index}
      place={variable}
      selected={isSelected(variable)}
      onSelect={onSelect}
      title={
        <Text as="span" fontFamily="mono" fontSize="sm">
          {variable.name}
        </Text>
      }
    >
      <FindingNote>
        {variable.required ? "The program ends without it." : "The program goes on without it, as far as can be told."}
      </FindingNote>
    </FindingRow>
  ));
}

const severityColors = { error: "fg.error", warning: "fg.warning", info: "fg.info" } as const;

/** What is wrong. */
export function ProblemList({ items, isSelected, onSelect }: ListProps<AnalysisProblem>) {
  return items.map((problem, index) => {
    const place = problem.file === null ? null : { file: problem.file, line: problem.line, column: problem.column, cell: problem.cell };
    return (
      <FindingRow
        key={index}
        place={place}
        selected={place !== null && isSelected(place)}
        onSelect={onSelect}
        title={
          <>
            <FindingMark color={severityColors[problem.severity]}>{problem.severity}</FindingMark>
            {problem.message}
          </>
        }
      />
    );
  });
}
