import type { Candidate } from "./edits/connect.ts";

const handles = ".react-flow__handle";

/**
 * Shows which ports a wire may lead to, and says of the others why not. On the elements themselves: to draw a thousand nodes again for it would
 * be felt.
 */
export function dimUnfit(canvas: HTMLElement, side: "output" | "input", candidates: readonly Candidate[]): void {
  const refusals = new Map(candidates.map(({ node, port, refusal }) => [`${node} ${port}`, refusal]));
  for (const handle of canvas.querySelectorAll<HTMLElement>(handles)) {
    const isOther = handle.classList.contains(side === "output" ? "target" : "source");
    const key = `${handle.dataset["nodeid"]} ${handle.dataset["handleid"]}`;
    const refusal = isOther && refusals.has(key) ? refusals.get(key) : isOther ? "" : "A wire leads from an output to an input.";
    handle.dataset["fit"] = refusal === undefined ? "yes" : "no";
    if (refusal !== undefined && refusal !== "") handle.dataset["tip"] = refusal;
  }
}

/** Everything as before. */
export function showAllPorts(canvas: HTMLElement): void {
  for (const handle of canvas.querySelectorAll<HTMLElement>(handles)) {
    delete handle.dataset["fit"];
    delete handle.dataset["tip"];
  }
}
