import { Box, Button, chakra, Flex, Heading, Text } from "@chakra-ui/react";
import type { CompositionProblem } from "@syla/contracts/compositions";
import type { FlowEdge, FlowNode } from "@syla/contracts/flow";
import { isNodeFinal } from "@syla/contracts/node-runs";
import { mayBypass } from "@syla/flow/bypass";
import { CornerDownRight, MousePointerClick, Play, X } from "lucide-react";
import { EmptyState } from "../ui/empty-state.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { shownBody, useBuilder, useBuilderStore } from "./builder-store.ts";
import { nodePathOf } from "./canvas-nodes.ts";
import { toggleBypass } from "./edits/bypass.ts";
import { remove } from "./edits/remove.ts";
import { factsOf } from "./facts.ts";
import { kindLooks, titleOf } from "./kinds.ts";
import { ModuleSection } from "./module-section.tsx";
import type { ModuleUpdate } from "./module-update-dialog.tsx";
import { NodeForm } from "./node-form.tsx";
import { NodeRunView, PinEditor } from "./node-run.tsx";
import type { Pins } from "./pins.ts";
import type { RunPart } from "./run-form.tsx";
import type { NodeLook } from "./run-view.ts";
import { reachesOut, reuseOf } from "@syla/flow/reuse";
import type { Actions } from "./use-actions.ts";
import { printType } from "@syla/flow/types";

interface NodePanelProps {
  readonly problems: readonly CompositionProblem[];
  readonly runId: string;
  readonly looks: ReadonlyMap<string, NodeLook>;
  /** The paths of the nodes whose results are out of date. */
  readonly stale: ReadonlySet<string>;
  readonly pins: Pins;
  readonly onPin: (path: string, output: Readonly<Record<string, unknown>> | null) => void;
  readonly mayRun: boolean;
  readonly onRun: (part: RunPart) => void;
  readonly actions: Actions;
  readonly onMakeModule: () => void;
  readonly onUpdate: (update: ModuleUpdate) => void;
}

/** Everything about the node that is chosen. */
export function NodePanel({ problems, runId, looks, stale, pins, onPin, mayRun, onRun, actions, onMakeModule, onUpdate }: NodePanelProps) {
  const store = useBuilderStore();
  const body = useBuilder(shownBody);
  const path = useBuilder((state) => state.path);
  const selected = useBuilder((state) => state.selection.nodes);
  const [id] = selected;
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const node = selected.size === 1 ? body.nodes.find((each) => each.id === id) : undefined;
  if (node === undefined)
    return (
      <EmptyState
        icon={MousePointerClick}
        title={selected.size === 0 ? "Nothing is chosen" : `${selected.size} nodes are chosen`}
        action={selected.size < 2 || isReadOnly ? undefined : <ChosenActions actions={actions} onMakeModule={onMakeModule} />}
      >
        {selected.size === 0
          ? "Choose a node to see and change what it does. Double-click the canvas, or press Tab on it, to add one."
          : "Choose one to change what it does."}
      </EmptyState>
    );
  const place = nodePathOf(path, node.id);
  // Of a newer version the section of the module tells.
  const own = problems.filter(
    ({ code, node: at, path: within }) => at === node.id && within.join("/") === path.join("/") && code !== "update_available",
  );
  const look = looks.get(node.id);
  const pinned = pins[place];
  const isRunnable = mayRun && !["input", "output", "note", "model", "sampler"].includes(node.kind);
  return (
    <Flex direction="column" gap="4" p="3" key={node.id} data-node-panel>
      <Box>
        <Heading as="h2" fontSize="md" fontWeight="semibold" overflowWrap="anywhere">
          {titleOf(node)}
        </Heading>
        <Text fontSize="xs" color="fg.muted">
          {kindLooks[node.kind].label}. {kindLooks[node.kind].text}
        </Text>
        <ReuseNote node={node} />
      </Box>
      {own.length === 0 ? null : (
        <Box as="ul" listStyleType="none" aria-label="Problems of this node" fontSize="xs">
          {own.map((problem) => (
            <chakra.li
              key={`${problem.code} ${problem.port ?? ""} ${problem.message}`}
              color={problem.severity === "error" ? "fg.error" : "fg.warning"}
              overflowWrap="anywhere"
            >
              {problem.message}
            </chakra.li>
          ))}
        </Box>
      )}
      <Flex gap="1.5" wrap="wrap">
        {node.body === undefined ? null : (
          <Button size="xs" variant="outline" onClick={() => store.enter([...path, node.id])}>
            <CornerDownRight aria-hidden /> Open its graph
          </Button>
        )}
        {mayBypass(node) && !isReadOnly ? (
          <Button
            size="xs"
            variant="outline"
            aria-pressed={node.bypassed === true}
            onClick={() => store.edit((now) => toggleBypass(now, new Set([node.id])))}
          >
            {node.bypassed === true ? "Bypassed" : "Bypass"}
          </Button>
        ) : null}
        {isRunnable ? (
          <>
            <Button size="xs" variant="outline" onClick={() => onRun({ until: place })}>
              <Play aria-hidden /> Run to here
            </Button>
            <Button size="xs" variant="outline" onClick={() => onRun({ from: place })}>
              Run from here
            </Button>
            <Button size="xs" variant="outline" onClick={() => onRun({ only: place })}>
              Run only this
            </Button>
          </>
        ) : null}
      </Flex>
      {node.kind === "module" ? <ModuleSection node={node} onUpdate={onUpdate} onMakeModule={onMakeModule} /> : null}
      {look === undefined ? null : (
        <Box as="section" aria-label="In the run">
          <NodeRunView
            runId={runId}
            turns={look.turns}
            within={look.within}
            isStale={isNodeFinal(look.state) && stale.has(place)}
            pinned={pinned}
            onPin={(output) => onPin(place, output)}
          />
        </Box>
      )}
      {pinned === undefined ? null : <PinEditor key={place} output={pinned} onPin={(output) => onPin(place, output)} />}
      <Box as="section" aria-label="Configuration">
        <NodeForm node={node} />
      </Box>
      <Ports node={node} />
    </Flex>
  );
}

const reuseNotes = {
  always: null,
  lineage: "Only runs that go on from each other take its result again.",
  run: "Each run makes its result anew.",
} as const;

/** Whether later runs take its result, where that is not as most would think. */
function ReuseNote({ node }: { readonly node: FlowNode }) {
  const hasNetwork = useBuilder((state) => reachesOut(state.graph));
  const note = reuseNotes[reuseOf(node, hasNetwork)];
  return note === null ? null : (
    <Text fontSize="xs" color="fg.muted" data-reuse>
      {note}
    </Text>
  );
}

/** What can be done with several nodes at once. */
function ChosenActions({ actions, onMakeModule }: Pick<NodePanelProps, "actions" | "onMakeModule">) {
  const entries: readonly (readonly [string, () => void])[] = [
    ["Make a module", onMakeModule],
    ["Collapse", actions.collapseSelected],
    ["Group", actions.groupSelected],
    ["Tidy", () => void actions.tidy()],
    ["Duplicate", actions.duplicateSelected],
    ["Bypass", actions.bypassSelected],
    ["Delete", actions.deleteSelected],
  ];
  return (
    <Flex gap="1.5" wrap="wrap" justify="center" role="group" aria-label="What is chosen">
      {entries.map(([label, act]) => (
        <Button key={label} size="xs" variant="outline" onClick={act}>
          {label}
        </Button>
      ))}
    </Flex>
  );
}

/** The ports of a node with their types and their wires: the same as on the canvas, for those who have no mouse. */
function Ports({ node }: { readonly node: FlowNode }) {
  const body = useBuilder(shownBody);
  const facts = factsOf(body);
  const wiresAt = (port: string, isInput: boolean): readonly FlowEdge[] =>
    ((isInput ? facts.index.into : facts.index.outOf).get(node.id) ?? []).filter(({ from, to }) => (isInput ? to : from).port === port);
  const groups = [
    ["Inputs", facts.inputs(node)],
    ["Outputs", facts.outputs(node)],
  ] as const;
  return (
    <Box as="section" aria-label="Ports" fontSize="xs">
      {groups.map(([title, ports]) =>
        ports.length === 0 ? null : (
          <Box key={title} mb="2">
            <Heading as="h3" fontSize="xs" fontWeight="medium" color="fg.muted">
              {title}
            </Heading>
            <Box as="ul" listStyleType="none">
              {ports.map(({ name, type, isRequired }) => (
                <li key={name}>
                  {name}: <chakra.code overflowWrap="anywhere">{printType(type)}</chakra.code>
                  {title === "Inputs" && !isRequired ? ", optional" : ""}
                  {wiresAt(name, title === "Inputs").map((wire) => (
                    <WireRow key={wire.id} wire={wire} end={title === "Inputs" ? wire.from : wire.to} isInput={title === "Inputs"} />
                  ))}
                </li>
              ))}
            </Box>
          </Box>
        ),
      )}
    </Box>
  );
}

interface WireRowProps {
  readonly wire: FlowEdge;
  /** Its other end. */
  readonly end: FlowEdge["from"];
  readonly isInput: boolean;
}

/** Where a wire leads, to go there or to take it away. */
function WireRow({ wire, end, isInput }: WireRowProps) {
  const store = useBuilderStore();
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const title = useBuilder((state) => {
    const other = factsOf(shownBody(state)).index.nodes.get(end.node);
    return other === undefined ? end.node : titleOf(other);
  });
  const words = `${isInput ? "from" : "to"} ${title} · ${end.port}`;
  return (
    <Flex align="center" gap="1" pl="3" color="fg.muted">
      <chakra.button
        type="button"
        flex="1"
        minW="0"
        minH="6"
        textAlign="left"
        overflowWrap="anywhere"
        _hover={{ color: "fg", textDecoration: "underline" }}
        onClick={() => store.select([end.node])}
      >
        {words}
      </chakra.button>
      {isReadOnly ? null : (
        <IconButton label={`Remove the wire ${words}`} onClick={() => store.edit((now) => remove(now, new Set(), new Set([wire.id])))}>
          <X />
        </IconButton>
      )}
    </Flex>
  );
}
