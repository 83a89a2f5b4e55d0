import type { Runtime } from "@syla/sdk";

/** The language that `python` or `python@3.11` names. */
export function findRuntime(runtimes: readonly Runtime[], language: string): Runtime | undefined {
  const name = language.split("@")[0];
  return runtimes.find((runtime) => runtime.name === name);
}

/** How a program of this language gets its process, in a few words. */
export function describeStart(runtime: Pick<Runtime, "compiled" | "pooling">): string {
  if (runtime.compiled) return "compiled";
  if (runtime.pooling === "fork") return "forked";
  return runtime.pooling === "preboot" ? "booted ahead" : "started afresh";
}

/** The same, for whoever wants to know. */
export function explainStart(runtime: Pick<Runtime, "compiled" | "pooling">): string {
  if (runtime.compiled) return "compiled, once for equal source";
  if (runtime.pooling === "fork") return "forked from an interpreter that has booted";
  return runtime.pooling === "preboot" ? "an interpreter is booted ahead for each run" : "started afresh for each run";
}
