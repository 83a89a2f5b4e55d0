import type { CompositionProblem } from "@syla/sdk";

type Shown = Pick<CompositionProblem, "severity" | "code" | "path" | "node" | "port" | "edge" | "message">;

function placeOf({ path, node, port, edge }: Shown): string {
  const nodes = [...path, ...(node === undefined ? [] : [node])].join("/");
  return [nodes, port, edge === undefined ? undefined : `edge ${edge}`].filter((part) => part !== undefined && part !== "").join(" ");
}

/** A line for each problem: how bad, which, where, and in words. What a terminal would obey is shown escaped. */
export function describeProblem(problem: Shown): string {
  return [problem.severity, problem.code, placeOf(problem), problem.message]
    .map((part) => JSON.stringify(part).slice(1, -1).replaceAll('\\"', '"'))
    .join("\t");
}
