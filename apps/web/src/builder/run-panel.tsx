import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { isNodeFinal, type NodeRun } from "@syla/contracts/node-runs";
import { RotateCcw, Square } from "lucide-react";
import { memo, useMemo, useState } from "react";
import { Link } from "react-router";
import { RunErrorPanel } from "../runs/detail/run-error.tsx";
import { useCancelRuns } from "../runs/queries.ts";
import { isLive } from "../runs/run-state.ts";
import type { Asset, Run } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount, formatPlural } from "../ui/format.ts";
import { StatusBadge } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useBuilder, useBuilderStore } from "./builder-store.ts";
import { describeLlm, describeSaved, shortUse, sumOf } from "./node-use.ts";
import { stateLook } from "./node-view.tsx";
import { RunForm, type RunPart } from "./run-form.tsx";
import { asTheyBegan, titleAt, withoutTurns } from "./run-view.ts";
import type { ShownRun } from "./use-shown-run.ts";

interface RunPanelProps {
  readonly shown: ShownRun;
  /** The paths of the nodes whose results are out of date. */
  readonly stale: ReadonlySet<string>;
  /** The newest run, where none is shown. */
  readonly lastRun: Asset["lastRun"];
  readonly onLook: (run: string) => void;
  /** What it ran does something else than what is drawn now. */
  readonly isOld: boolean;
  readonly typed: Readonly<Record<string, string>>;
  readonly onType: (typed: Readonly<Record<string, string>>) => void;
  readonly part: RunPart;
  readonly partText: string;
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly mayRun: boolean;
  /** The run that was shown before this one was begun; empty: none. */
  readonly earlier: string;
  readonly onRun: (inputs: Readonly<Record<string, unknown>>, part: RunPart, restartOf?: string) => void;
  readonly onLeave: () => void;
}

/** Runs the composition, and shows how the nodes of a run stand. */
export function RunPanel({ shown, stale, lastRun, onLook, isOld, mayRun, earlier, onLeave, ...form }: RunPanelProps) {
  const { run, nodes } = shown;
  const cancel = useCancelRuns();
  const outOfDate = new Set(nodes.flatMap((node) => (isStale(node, stale) ? [withoutTurns(node.path)] : []))).size;
  return (
    <Box>
      {mayRun ? (
        <RunForm {...form} onRun={(inputs, part) => form.onRun(inputs, part)} />
      ) : (
        <Text p="3" color="fg.muted">
          You may look at it, not run it.
        </Text>
      )}
      {shown.error === null || shown.error === undefined ? null : (
        <Box p="3">
          <ErrorPanel error={shown.error} />
        </Box>
      )}
      {lastRun === null ? null : (
        <Flex align="center" gap="2" p="3" borderTopWidth="1px" borderColor="border">
          <StatusBadge status={lastRun.status} />
          <Text fontSize="xs" color="fg.muted" flex="1">
            <TimeAgo time={lastRun.at} />
          </Text>
          <Button size="xs" variant="outline" onClick={() => onLook(lastRun.id)}>
            Show the last run
          </Button>
        </Flex>
      )}
      {run === undefined ? null : (
        <Box as="section" aria-label="The run" borderTopWidth="1px" borderColor="border" p="3">
          <Flex align="center" gap="2" mb="2" wrap="wrap">
            <StatusBadge status={run.status} />
            <Text fontSize="xs" color="fg.muted" flex="1">
              <TimeAgo time={run.createdAt} />
            </Text>
            {isLive(run) && mayRun ? (
              <Button size="xs" variant="outline" loading={cancel.isPending} onClick={() => cancel.mutate([run.id])}>
                <Square aria-hidden /> Cancel
              </Button>
            ) : null}
            {mayRun && (run.status === "failed" || run.status === "timed_out") ? (
              <Button size="xs" variant="outline" loading={form.isBusy} onClick={() => form.onRun({}, {}, run.id)}>
                <RotateCcw aria-hidden /> Restart from failed
              </Button>
            ) : null}
            <Button size="xs" variant="outline" asChild>
              <Link to={`/runs/${run.id}`}>Open the run</Link>
            </Button>
            {earlier === "" || isLive(run) ? null : (
              <Button size="xs" variant="outline" asChild>
                <Link to={`/runs/${earlier}/compare/${run.id}`}>Compare with the run before</Link>
              </Button>
            )}
            <Button size="xs" variant="ghost" onClick={onLeave}>
              Hide it
            </Button>
          </Flex>
          {isOld || outOfDate > 0 ? (
            <Text fontSize="xs" color="fg.warning" mb="2">
              {isOld ? "The graph has changed since." : "What it uses has changed since."}
              {outOfDate === 0 ? "" : ` Out of date: ${formatPlural(outOfDate, "node")}.`}
            </Text>
          ) : null}
          {run.error === null ? null : <RunFailure error={run.error} />}
          <RunUse run={run} nodes={nodes} />
          <NodeList nodes={nodes} stale={stale} />
        </Box>
      )}
    </Box>
  );
}

function isStale({ path, state }: NodeRun, stale: ReadonlySet<string>): boolean {
  return isNodeFinal(state) && stale.has(withoutTurns(path));
}

/** Shows a node of a run on the canvas. */
function useGoToNode(): (path: string) => void {
  const store = useBuilderStore();
  const [go] = useState(() => (path: string) => {
    const ids = withoutTurns(path).split("/");
    store.enter(ids.slice(0, -1), ids.slice(-1));
  });
  return go;
}

/** Why it failed, and where. */
function RunFailure({ error }: { readonly error: NonNullable<Run["error"]> }) {
  const go = useGoToNode();
  const graph = useBuilder((state) => state.graph);
  const { node } = error;
  return (
    <Box mb="2">
      <RunErrorPanel error={error} short />
      {node === null ? null : (
        <Button mt="2" size="xs" variant="outline" onClick={() => go(node)}>
          Go to {titleAt(graph, node)}
        </Button>
      )}
    </Box>
  );
}

/** What the run took of models, as far as its nodes are known to have called them, and what it did not pay once more. */
function RunUse({ run, nodes }: { readonly run: Run; readonly nodes: ShownRun["nodes"] }) {
  const { llm, saved } = sumOf(nodes);
  const others = (run.usage?.llm?.calls ?? 0) - (llm?.calls ?? 0);
  return (
    <Text as="div" fontSize="xs" color="fg.muted" mb="2">
      {llm === null ? null : <div>{describeLlm(llm)}</div>}
      {!isLive(run) && others > 0 ? <div>{formatPlural(others, "model call")} of no node</div> : null}
      {saved === null ? null : <div>Used again, and saved: {describeSaved(saved)}</div>}
    </Text>
  );
}

function NodeList({ nodes, stale }: Pick<ShownRun, "nodes"> & Pick<RunPanelProps, "stale">) {
  const go = useGoToNode();
  const graph = useBuilder((state) => state.graph);
  const listed = useMemo(() => asTheyBegan(nodes), [nodes]);
  const others = nodes.length - listed.length;
  return (
    <>
      <ul aria-label="Nodes of the run" className="run-nodes">
        {listed.map((node) => (
          <NodeRow
            key={node.path}
            node={node}
            isOutOfDate={isStale(node, stale)}
            title={titleAt(graph, node.path, node.label || node.path)}
            onGo={go}
          />
        ))}
      </ul>
      {others === 0 ? null : (
        <Text fontSize="xs" color="fg.muted" px="2" py="1">
          {others === 1 ? "1 node has not begun." : `${formatCount(others)} nodes have not begun.`}
        </Text>
      )}
    </>
  );
}

interface NodeRowProps {
  readonly node: NodeRun;
  readonly isOutOfDate: boolean;
  readonly title: string;
  readonly onGo: (path: string) => void;
}

/** A plain element, and drawn again only when the node has changed: there may be a thousand. */
const NodeRow = memo(function NodeRow({ node, isOutOfDate, title, onGo }: NodeRowProps) {
  const { icon: Icon, label } = stateLook(node.state, isOutOfDate);
  return (
    <li>
      <button type="button" data-stale={isOutOfDate || undefined} onClick={() => onGo(node.path)}>
        <span role="img" aria-label={label} data-kind={node.state}>
          <Icon size={14} aria-hidden />
        </span>
        <span>{title}</span>
        {node.llm === null ? null : (
          <span className="run-node-use" title={describeLlm(node.llm)}>
            {shortUse(node.llm)}
          </span>
        )}
      </button>
    </li>
  );
});
