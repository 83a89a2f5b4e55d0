import type { FlowBody, FlowNode } from "@syla/contracts/flow";
import { addLlm, llmWithin, type NodeLlm, type NodeRun, type NodeState } from "@syla/contracts/node-runs";
import { sortedJson } from "@syla/flow/canonical";
import { formatDuration } from "../ui/format.ts";
import type { BodyPath } from "./edits/bodies.ts";

/** How a node stands in a run, all its turns together. */
export interface NodeLook {
  readonly state: NodeState;
  readonly note: string;
  /** Each turn by itself, in their order. */
  readonly turns: readonly NodeRun[];
  /** What it called of models in all turns, with what lies within it; and of each turn, by its path. */
  readonly llm: NodeLlm | null;
  readonly within: ReadonlyMap<string, NodeLlm>;
}

/** What of several turns is told of all of them: what needs somebody first. */
const weights: readonly NodeState[] = ["failed", "waiting", "running", "pending", "cancelled", "succeeded", "reused", "skipped"];

/** The nodes that a path of a run leads through, without the turns. */
export function withoutTurns(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "");
}

function noteOf(turns: readonly NodeRun[]): string {
  const times = turns.flatMap(({ startedAt, endedAt }) =>
    startedAt === null || endedAt === null ? [] : [Date.parse(endedAt) - Date.parse(startedAt)],
  );
  const time = times.length === 0 ? "" : formatDuration(times.reduce((sum, ms) => sum + ms, 0));
  if (turns.length === 1) return time;
  const done = turns.filter(({ state }) => state === "succeeded" || state === "reused").length;
  return `${done}/${turns.length}${time === "" ? "" : ` · ${time}`}`;
}

/** How the nodes of one graph of a composition stand, by their ids. */
export function looksOf(runs: readonly NodeRun[], path: BodyPath): Map<string, NodeLook> {
  const prefix = path.length === 0 ? "" : `${path.join("/")}/`;
  const turns = new Map<string, NodeRun[]>();
  const within = llmWithin(runs);
  for (const run of runs) {
    const place = withoutTurns(run.path);
    if (!place.startsWith(prefix) || place.slice(prefix.length).includes("/")) continue;
    turns.set(run.nodeId, [...(turns.get(run.nodeId) ?? []), run]);
  }
  return new Map(
    [...turns].map(([id, of]) => {
      const sorted = of.toSorted(
        (a, b) => (a.startedAt ?? "").localeCompare(b.startedAt ?? "") || a.path.localeCompare(b.path, "en", { numeric: true }),
      );
      const state = weights.find((each) => of.some((run) => run.state === each)) ?? "pending";
      const llm = of.reduce<NodeLlm | null>((sum, run) => addLlm(sum, within.get(run.path) ?? null), null);
      return [id, { state, note: noteOf(sorted), turns: sorted, llm, within }];
    }),
  );
}

/** A list of nodes with what an event told of one of them. */
export function withNodeRun(runs: readonly NodeRun[], changed: NodeRun): readonly NodeRun[] {
  const at = runs.findIndex(({ path }) => path === changed.path);
  return at < 0 ? [...runs, changed] : runs.with(at, changed);
}

/** What of a node decides what it gives. */
function essence(node: FlowNode): string {
  return sortedJson({ ...node, position: null, label: null });
}

/** The nodes whose results in a run say nothing any more: they, or what they get something from, have changed since it began. */
export function staleNodes(ran: FlowBody, now: FlowBody): Set<string> {
  const before = new Map(ran.nodes.map((node) => [node.id, essence(node)]));
  const wires = (body: FlowBody, id: string) =>
    sortedJson(body.edges.flatMap(({ from, to }) => (to.node === id ? [`${to.port} ${from.node} ${from.port}`] : [])).toSorted());
  const into = new Map<string, string[]>();
  for (const { from, to } of now.edges) into.set(from.node, [...(into.get(from.node) ?? []), to.node]);
  const stale = new Set(
    now.nodes.flatMap((node) => (before.get(node.id) === essence(node) && wires(ran, node.id) === wires(now, node.id) ? [] : [node.id])),
  );
  const queue = [...stale];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const next of into.get(id) ?? []) {
      if (stale.has(next)) continue;
      stale.add(next);
      queue.push(next);
    }
  }
  return stale;
}
