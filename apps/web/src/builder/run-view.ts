import { flowFallibleKinds, type FlowBody, type FlowNode } from "@syla/contracts/flow";
import { addLlm, llmWithin, type NodeLlm, type NodeRun, type NodeState } from "@syla/contracts/node-runs";
import { sortedJson } from "@syla/flow/canonical";
import { formatDuration } from "../ui/format.ts";
import { bodyAt, type BodyPath } from "./edits/bodies.ts";
import { factsOf } from "./facts.ts";
import { titleOf } from "./kinds.ts";

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

const fallible: ReadonlySet<string> = new Set(flowFallibleKinds);

/** What of several turns is told of all of them: what needs somebody first. */
const weights: readonly NodeState[] = ["failed", "waiting", "running", "pending", "cancelled", "succeeded", "reused", "skipped"];

/** The nodes that a path of a run leads through, without the turns. */
export function withoutTurns(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "");
}

/** What the node that a path leads to is called, with the turns; something else where no such node is there any more. */
export function titleAt(graph: FlowBody, path: string, otherwise = path): string {
  const ids = withoutTurns(path).split("/");
  const body = bodyAt(graph, ids.slice(0, -1));
  const node = body === undefined ? undefined : factsOf(body).index.nodes.get(ids.at(-1) ?? "");
  return node === undefined ? otherwise : [titleOf(node), ...(path.match(/\[\d+\]/g) ?? [])].join(" ");
}

/** The nodes of a run as they began; behind them those that have not. */
export function asTheyBegan(runs: readonly NodeRun[]): NodeRun[] {
  const begun = runs.filter(({ startedAt }) => startedAt !== null);
  const sorted = begun.toSorted((a, b) => Date.parse(a.startedAt ?? "") - Date.parse(b.startedAt ?? ""));
  return [...sorted, ...runs.filter(({ startedAt }) => startedAt === null)];
}

function noteOf(turns: readonly NodeRun[]): string {
  const times = turns.flatMap(({ startedAt, endedAt }) =>
    startedAt === null || endedAt === null ? [] : [Date.parse(endedAt) - Date.parse(startedAt)],
  );
  const time = times.length === 0 ? "" : formatDuration(times.reduce((sum, ms) => sum + ms, 0));
  // What cannot fail begins again only because the run does.
  const most = Math.max(...turns.map(({ kind, attempts }) => (fallible.has(kind) ? attempts : 1)));
  const fell = turns.some(({ usedFallback }) => usedFallback);
  const marks = [
    ...(fell ? ["fallback"] : []),
    ...(most > 1 ? [`${most} attempts`] : []),
    // There is room for two of them.
    ...(time === "" || (fell && most > 1) ? [] : [time]),
  ];
  if (turns.length === 1) return marks.join(" · ");
  const done = turns.filter(({ state }) => state === "succeeded" || state === "reused").length;
  return [`${done}/${turns.length}`, ...marks].join(" · ");
}

/** How the nodes of one graph of a composition stand, by their ids. */
export function looksOf(runs: readonly NodeRun[], path: BodyPath): Map<string, NodeLook> {
  const prefix = path.length === 0 ? "" : `${path.join("/")}/`;
  const turns = new Map<string, NodeRun[]>();
  const within = llmWithin(runs);
  for (const run of runs) {
    const place = withoutTurns(run.path);
    if (!place.startsWith(prefix) || place.slice(prefix.length).includes("/")) continue;
    const own = turns.get(run.nodeId) ?? [];
    own.push(run);
    turns.set(run.nodeId, own);
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

/** A list of nodes with what events told of some of them; those of which nothing was told are the same objects. */
export function withNodeRuns(runs: readonly NodeRun[], changed: readonly NodeRun[]): readonly NodeRun[] {
  if (changed.length === 0) return runs;
  const told = new Map(changed.map((run) => [run.path, run]));
  const next = runs.map((run) => {
    const now = told.get(run.path);
    told.delete(run.path);
    return now ?? run;
  });
  return [...next, ...told.values()];
}

const essences = new WeakMap<FlowNode, string>();

/** What of a node decides what it gives. */
function essence(node: FlowNode): string {
  const known = essences.get(node);
  if (known !== undefined) return known;
  const text = sortedJson({ ...node, position: null, label: null });
  essences.set(node, text);
  return text;
}

/** What leads into each node, as a text. */
function wiresInto(body: FlowBody): Map<string, string> {
  const into = new Map<string, string[]>();
  for (const { from, to } of body.edges) {
    const wires = into.get(to.node) ?? [];
    wires.push(`${to.port} ${from.node} ${from.port}`);
    into.set(to.node, wires);
  }
  return new Map([...into].map(([id, wires]) => [id, sortedJson(wires.toSorted())]));
}

/** The nodes whose results in a run say nothing any more: they, or what they get something from, have changed since it began. */
export function staleNodes(ran: FlowBody, now: FlowBody): Set<string> {
  if (ran === now) return new Set();
  const before = new Map(ran.nodes.map((node) => [node.id, node]));
  const [wiresThen, wiresNow] = [wiresInto(ran), wiresInto(now)];
  const into = new Map<string, string[]>();
  for (const { from, to } of now.edges) {
    const next = into.get(from.node) ?? [];
    next.push(to.node);
    into.set(from.node, next);
  }
  const isSame = (node: FlowNode): boolean => {
    const then = before.get(node.id);
    const isEqual = then !== undefined && (then === node || essence(then) === essence(node));
    return isEqual && wiresThen.get(node.id) === wiresNow.get(node.id);
  };
  const stale = new Set(now.nodes.flatMap((node) => (isSame(node) ? [] : [node.id])));
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
