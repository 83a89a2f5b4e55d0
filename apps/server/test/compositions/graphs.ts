import type { FlowGraph } from "@syla/contracts/flow";

interface Place {
  readonly id: string;
  readonly kind: string;
  readonly config: object;
  readonly body?: object;
}

/** A node at no place in particular. */
export function node(id: string, kind: string, config: object = {}, more: object = {}): Place {
  return { id, kind, config, ...more };
}

/** A graph of these nodes; edges are written `from.port -> to.port`. */
export function graph(nodes: readonly object[], ...edges: readonly string[]): FlowGraph {
  const end = (text: string) => ({ node: text.split(".")[0] ?? "", port: text.split(".")[1] ?? "" });
  const drawn = edges.map((text, index) => {
    const [from = "", to = ""] = text.split(" -> ");
    return { id: `e${index}`, from: end(from), to: end(to) };
  });
  return { format: 1, name: "Shout", nodes, edges: drawn } as unknown as FlowGraph;
}

/** Takes a text and gives it back louder. */
export const shout = graph(
  [
    node("in", "input", { name: "text", type: "str" }),
    node("up", "code", { language: "python", source: "return text.upper()", inputs: [{ name: "text", type: "str" }], returns: "str" }),
    node("out", "output", { name: "loud", type: "str" }),
  ],
  "in.value -> up.text",
  "up.result -> out.value",
);

/** A module of a composition, with its graph. */
export function moduleOf(
  id: string,
  origin: { readonly id: string; readonly version?: string },
  inner: Pick<FlowGraph, "nodes" | "edges"> = shout,
) {
  return node(id, "module", { composition: origin }, { body: { nodes: inner.nodes, edges: inner.edges } });
}
