import { Box, Button, chakra, Flex, Heading, Text } from "@chakra-ui/react";
import type { NodeLlm, NodeRun, ValueRef } from "@syla/contracts/node-runs";
import { Check, Pin, PinOff, X } from "lucide-react";
import { Fragment, type ReactNode, useState } from "react";
import { Link } from "react-router";
import { syla } from "../app/api.ts";
import { DownloadButton } from "../ui/download-button.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField } from "../ui/form-field.tsx";
import { formatBytes, formatCount, formatDuration } from "../ui/format.ts";
import { SelectField } from "../ui/select-field.tsx";
import { costOf, describeSaved } from "./node-use.ts";
import { stateLook, stateLooks } from "./node-view.tsx";
import { useDecide } from "./queries.ts";

interface NodeRunViewProps {
  readonly runId: string;
  readonly turns: readonly NodeRun[];
  /** What each called of models with what lies within it, by their paths. */
  readonly within: ReadonlyMap<string, NodeLlm>;
  /** It would make something else by now. */
  readonly isStale: boolean;
  readonly pinned: Readonly<Record<string, unknown>> | undefined;
  /** Null takes the pin away. */
  readonly onPin: (output: Readonly<Record<string, unknown>> | null) => void;
}

/** What a node did in a run: how it stands, what went in and came out, and what it cost. */
export function NodeRunView({ runId, turns, within, isStale, pinned, onPin }: NodeRunViewProps) {
  const [chosen, setChosen] = useState<string | null>(null);
  const run = turns.find(({ path }) => path === chosen) ?? turns.at(-1);
  if (run === undefined) return null;
  const { label, icon: Icon, color } = stateLook(run.state, isStale);
  return (
    <Flex direction="column" gap="3">
      {turns.length < 2 ? null : (
        <SelectField label="Which turn" width="full" value={run.path} onChoose={setChosen}>
          {turns.map(({ path, state }) => (
            <option key={path} value={path}>
              {path}: {stateLooks[state].label}
            </option>
          ))}
        </SelectField>
      )}
      <Flex align="center" gap="1.5" color={color} fontWeight="medium">
        <Icon size={14} aria-hidden /> {label}
      </Flex>
      {isStale ? (
        <Text fontSize="xs">The node, or what it gets something from, has changed since. Run it to see what it makes now.</Text>
      ) : null}
      {run.approval === null ? null : <Approval runId={runId} run={run} />}
      {run.error === null ? null : (
        <Box role="alert" borderWidth="1px" borderColor={run.usedFallback ? "border.warning" : "border.error"} rounded="md" p="2">
          {run.usedFallback ? <Text fontSize="xs">It failed, and its fallback stands for its outputs. The last failure:</Text> : null}
          <Text fontWeight="medium" overflowWrap="anywhere">
            {run.error.message}
          </Text>
          <Text fontSize="xs" color="fg.muted">
            {run.error.hint} ({run.error.code}
            {run.error.failureOf === "sandbox" ? ", not the node's own" : ""})
          </Text>
        </Box>
      )}
      <chakra.dl display="grid" gridTemplateColumns="auto 1fr" columnGap="3" rowGap="0.5" fontSize="xs">
        {factsOf(run, within.get(run.path) ?? null).map(([name, value]) => (
          <Fragment key={name}>
            <chakra.dt color="fg.muted">{name}</chakra.dt>
            <chakra.dd overflowWrap="anywhere">{value}</chakra.dd>
          </Fragment>
        ))}
      </chakra.dl>
      <Value runId={runId} run={run} side="inputs" value={run.inputs} />
      <Value runId={runId} run={run} side="output" value={run.output} />
      <Flex gap="2" wrap="wrap">
        {run.output !== null && "value" in run.output && pinned === undefined ? (
          <Button size="xs" variant="outline" onClick={() => onPin((run.output as { value: Readonly<Record<string, unknown>> }).value)}>
            <Pin aria-hidden /> Pin its output
          </Button>
        ) : null}
        <Button size="xs" variant="outline" asChild>
          <Link to={`/runs/${runId}?tab=log&node=${encodeURIComponent(run.nodeId)}`}>Its log</Link>
        </Button>
      </Flex>
    </Flex>
  );
}

function factsOf(run: NodeRun, llm: NodeLlm | null): (readonly [string, ReactNode])[] {
  const { saved } = run;
  return [
    ...(run.startedAt !== null && run.endedAt !== null
      ? [["Time", formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt))] as const]
      : []),
    ["Attempts", String(run.attempts)] as const,
    ...(llm === null
      ? []
      : [
          ["Calls of models", `${formatCount(llm.calls)}${llm.failed > 0 ? `, ${formatCount(llm.failed)} failed` : ""}`] as const,
          ["Tokens", `${formatCount(llm.inputTokens)} in, ${formatCount(llm.outputTokens)} out`] as const,
          ["Cost", costOf(llm)] as const,
        ]),
    ...(saved === null ? [] : [["Saved", describeSaved(saved)] as const]),
    ...(run.reusedFrom === null
      ? []
      : [
          [
            "Reused from",
            <chakra.span key="from" textDecoration="underline">
              <Link to={`/runs/${run.reusedFrom}`}>{run.reusedFrom}</Link>
            </chakra.span>,
          ] as const,
        ]),
  ];
}

interface ValueProps {
  readonly runId: string;
  readonly run: NodeRun;
  readonly side: "inputs" | "output";
  readonly value: ValueRef | null;
}

export function Value({ runId, run, side, value }: ValueProps) {
  const title = side === "inputs" ? "Inputs" : "Output";
  if (value === null) return null;
  const isLarge = "blob" in value;
  return (
    <Box>
      <Flex align="center" gap="1">
        <Heading as="h4" fontSize="xs" fontWeight="medium" color="fg.muted" flex="1">
          {title}
          {isLarge ? `, ${formatBytes(value.bytes)}; this is how it begins` : ""}
        </Heading>
        <DownloadButton
          label={`Download: ${title}`}
          file={{ href: "", name: `${run.nodeId}-${side}.json`, load: () => syla.compositionRuns.value(runId, run.path, side) }}
        />
      </Flex>
      <chakra.pre
        tabIndex={0}
        aria-label={title}
        fontSize="xs"
        maxH="52"
        overflow="auto"
        p="2"
        rounded="md"
        bg="bg.subtle"
        whiteSpace="pre-wrap"
        overflowWrap="anywhere"
      >
        {isLarge ? value.preview : JSON.stringify(value.value, null, 2)}
      </chakra.pre>
    </Box>
  );
}

/** Lets a person decide, or says who has. */
export function Approval({ runId, run }: { readonly runId: string; readonly run: NodeRun }) {
  const [comment, setComment] = useState("");
  const decide = useDecide(runId);
  const { approval } = run;
  if (approval === null) return null;
  if (approval.approved !== null || run.state !== "waiting")
    return (
      <Text>
        {approval.approved === null ? "Nobody has decided." : approval.approved ? "Approved" : "Rejected"}
        {approval.by === null ? "" : ` by ${approval.by.name}`}
        {approval.comment === null || approval.comment === "" ? "" : `: ${approval.comment}`}
      </Text>
    );
  const send = (approved: boolean) => decide.mutate({ path: run.path, approved, comment });
  return (
    <Flex direction="column" gap="2" p="2" borderWidth="1px" borderColor="border.emphasized" rounded="md">
      <Text>{approval.message === "" ? "Somebody has to decide before the run goes on." : approval.message}</Text>
      <TextAreaField label="Comment" rows={2} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
      {decide.error === null ? null : <ErrorPanel error={decide.error} />}
      <Flex gap="2" justify="flex-end">
        <Button size="xs" variant="outline" disabled={decide.isPending} onClick={() => send(false)}>
          <X aria-hidden /> Reject
        </Button>
        <Button size="xs" colorPalette="accent" disabled={decide.isPending} onClick={() => send(true)}>
          <Check aria-hidden /> Approve
        </Button>
      </Flex>
    </Flex>
  );
}

interface PinEditorProps {
  readonly output: Readonly<Record<string, unknown>>;
  readonly onPin: (output: Readonly<Record<string, unknown>> | null) => void;
}

/** A pinned result, which can be changed: runs take it in place of running the node. */
export function PinEditor({ output, onPin }: PinEditorProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const type = (text: string) => {
    setDraft(text);
    try {
      const value: unknown = JSON.parse(text);
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      setProblem(isObject ? null : "It must be an object: a value for each output.");
      if (isObject) onPin(value as Readonly<Record<string, unknown>>);
    } catch {
      setProblem("It must be JSON.");
    }
  };
  return (
    <Flex direction="column" gap="1.5">
      <TextAreaField
        label="Pinned output"
        help="Runs take it in place of running the node"
        problem={problem}
        rows={4}
        value={draft ?? JSON.stringify(output, null, 2)}
        onChange={(event) => type(event.currentTarget.value)}
      />
      <Button size="xs" variant="outline" alignSelf="flex-start" onClick={() => onPin(null)}>
        <PinOff aria-hidden /> Unpin
      </Button>
    </Flex>
  );
}
