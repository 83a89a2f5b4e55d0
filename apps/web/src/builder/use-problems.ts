import type { CompositionProblem } from "@syla/contracts/compositions";
import type { FlowGraph } from "@syla/contracts/flow";
import { hashGraph } from "@syla/flow/canonical";
import { validateFlow } from "@syla/flow/validate";
import { useEffect, useMemo, useState } from "react";
import { useServerProblems } from "./queries.ts";

/** A value that has not changed for a while. */
export function useSettled<Value>(value: Value, ms: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

const localMs = 150;
const serverMs = 600;

/** What is wrong with a graph, and what it is known by. */
export interface GraphProblems {
  readonly problems: readonly CompositionProblem[];
  /** Of what the graph does, a moment after each change. */
  readonly hash: string;
  /** Whether the hash is of the graph as it is now. */
  readonly isCurrent: boolean;
}

/** Everything that is wrong: what the graph says itself at once, what only the server knows a moment later. */
export function useProblems(id: string, graph: FlowGraph): GraphProblems {
  const local = useSettled(graph, localMs);
  const found = useMemo(() => validateFlow(local, id).problems as readonly CompositionProblem[], [local, id]);
  const asked = useSettled(graph, serverMs);
  const hash = useMemo(() => hashGraph(asked), [asked]);
  const server = useServerProblems(id, asked, hash);
  const problems = useMemo(() => {
    const codes = new Set(found.map(({ code }) => code));
    // Those of the graph itself come from the server as well, for a graph that is older.
    const others = (server.data ?? []).filter(({ code, reference }) => reference !== undefined && !codes.has(code));
    return [...found, ...others];
  }, [found, server.data]);
  return { problems, hash, isCurrent: asked === graph };
}
