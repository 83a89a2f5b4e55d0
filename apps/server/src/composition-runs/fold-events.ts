import type { NodeEvent, SentValue } from "./node-report.ts";
import type { KeptResult, NodeChange, SavedLlm } from "./store.ts";

/** A kept result, with what it saves of calls of models; null where nobody knows. */
export interface AnsweredResult extends KeptResult {
  readonly saved: SavedLlm | null;
}

/** What is to be looked up for events. */
interface Lookup {
  /** @throws AppError when nothing was answered that is taken again */
  readonly keptFor: (event: NodeEvent) => AnsweredResult;
  readonly resultKey: (event: NodeEvent) => string | null;
}

function columnsOf(value: SentValue | undefined): NodeChange["inputs"] {
  if (value === undefined) return null;
  return "blob" in value
    ? { text: value.preview, sha256: value.blob, bytes: value.bytes }
    : { text: value.json, sha256: null, bytes: null };
}

/** Makes one change of all that happened to each node, in the order in which the nodes came. */
export function foldEvents(events: readonly NodeEvent[], lookup: Lookup): NodeChange[] {
  const changes = new Map<string, NodeChange>();
  for (const event of events.toSorted((a, b) => a.seq - b.seq)) {
    const change = changeOf(event, lookup);
    const before = changes.get(event.path);
    changes.set(event.path, before === undefined ? change : change.begins ? again(before, change) : join(before, change));
  }
  return [...changes.values()];
}

/** What begins once more in the same batch: nothing stays of the time before but that there was one. */
function again(before: NodeChange, change: NodeChange): NodeChange {
  return { ...change, begun: before.begun + change.begun };
}

/** The end of what began in the same batch. */
function join(before: NodeChange, after: NodeChange): NodeChange {
  return {
    ...after,
    begins: before.begins,
    begun: before.begun,
    startedAt: after.startedAt ?? before.startedAt,
    inputs: after.inputs ?? before.inputs,
  };
}

function changeOf(event: NodeEvent, lookup: Lookup): NodeChange {
  const { path, seq, state, at, pinned = false } = event;
  const time = new Date(at);
  const isEnd = state !== "running";
  // What is a line of the composition's own code begins and ends at once.
  const isWhole = state === "reused" || state === "skipped" || (state === "succeeded" && event.inputs !== undefined);
  const kept = state === "reused" && !pinned ? lookup.keptFor(event) : null;
  const output = kept === null ? columnsOf(event.output) : { text: kept.output, sha256: kept.output_sha256, bytes: kept.output_bytes };
  return {
    path,
    seq,
    state,
    begins: state === "running" || isWhole,
    begun: state === "running" || (isWhole && state !== "skipped") ? 1 : 0,
    startedAt: state === "running" || (isWhole && state !== "skipped") ? time : null,
    endedAt: isEnd ? time : null,
    inputs: columnsOf(event.inputs),
    output,
    error: event.error ?? null,
    resultKey: state === "succeeded" || (state === "reused" && !pinned) ? lookup.resultKey(event) : null,
    sourceRunId: kept?.run_id ?? null,
    pinned,
    savedMs: kept?.ms ?? null,
    savedLlm: kept?.saved ?? null,
    message: null,
  };
}
