import type { Runtime } from "@syla/sdk";

/** The language that `python` or `python@3.11` names. */
export function findRuntime(runtimes: readonly Runtime[], language: string): Runtime | undefined {
  const name = language.split("@")[0];
  return runtimes.find((runtime) => runtime.name === name);
}

/** How a program of this language gets its process, in a few words. */
export function describeStart(runtime: Pick<Runtime, "compiled" | "pooling">): string {
  if (runtime.compiled) return "compiled, then run";
  if (runtime.pooling === "fork") return "forked from a booted interpreter";
  return runtime.pooling === "preboot" ? "booted ahead" : "started afresh";
}
