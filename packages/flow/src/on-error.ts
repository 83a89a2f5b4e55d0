import { flowFallibleKinds, type FlowNode } from "@syla/contracts/flow";
import { accepts } from "./accepts.ts";
import { outputsOf } from "./ports.ts";
import { isInner, printType } from "./types.ts";

/** How often a node is tried, the first time included. */
export function attemptsOf({ onError }: FlowNode): number {
  return 1 + (onError?.retries ?? 0);
}

/** Whether a node may fail: it runs code of somebody, or asks somebody. A rule that only computes does not. */
export function mayFail(node: FlowNode): boolean {
  if (node.kind === "verifier") return node.config.rule === "requirement";
  return (flowFallibleKinds as readonly FlowNode["kind"][]).includes(node.kind);
}

/** What is wrong with what a node does when it fails: each a sentence. */
export function checkOnError(node: FlowNode): string[] {
  const { onError } = node;
  if (onError === undefined) return [];
  if (!mayFail(node)) return ["A rule that only computes does not fail: nothing can be done then."];
  const { fallback } = onError;
  if (fallback === undefined) return [];
  const ports = outputsOf(node, new Map());
  const known = new Set(ports.map(({ name }) => name));
  const problems = Object.keys(fallback).flatMap((name) =>
    known.has(name) ? [] : [`The fallback has a value for ${JSON.stringify(name)}, which is no output.`],
  );
  for (const { name, type } of ports) {
    if (isInner(type))
      problems.push(`${printType(type)} exists only inside a composition: the output ${JSON.stringify(name)} has no fallback.`);
    else if (!Object.hasOwn(fallback, name)) problems.push(`The fallback has no value for the output ${JSON.stringify(name)}.`);
    else if (!accepts(type, fallback[name])) problems.push(`The fallback for ${JSON.stringify(name)} is not ${printType(type)}.`);
  }
  if (problems.length === 0 && node.kind === "map" && new Set(ports.map(({ name }) => (fallback[name] as unknown[]).length)).size > 1)
    problems.push("The lists of the fallback are not of one length: each item of a map has all outputs.");
  return problems;
}
