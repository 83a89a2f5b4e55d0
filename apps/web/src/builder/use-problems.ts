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
const serverMs = 1200;

/** Everything that is wrong: what the graph says itself at once, what only the server knows a moment later. And the hash of what the graph does, then. */
export function useProblems(id: string, graph: FlowGraph): { readonly problems: readonly CompositionProblem[]; readonly hash: string } {
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
  return { problems, hash };
}
