import { flowFallibleKinds, type FlowBody } from "@syla/contracts/flow";
import { addLlm, llmWithin, type NodeLlm, type NodeRun, type NodeState } from "@syla/contracts/node-runs";
import { formatDuration } from "../ui/format.ts";
import { compareIds } from "@syla/flow/order";
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

/**
 * The nodes of a run as they began; behind them those that never will. Those that may yet begin are left out: a list of a thousand in which each
 * goes to another place as it begins is more than a browser draws smoothly.
 */
export function asTheyBegan(runs: readonly NodeRun[]): NodeRun[] {
  const begun = runs.filter(({ startedAt }) => startedAt !== null);
  const sorted = begun.toSorted((a, b) => compareIds(a.startedAt ?? "", b.startedAt ?? ""));
  return [...sorted, ...runs.filter(({ startedAt, state }) => startedAt === null && state !== "pending")];
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
