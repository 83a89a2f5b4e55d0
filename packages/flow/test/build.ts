import type { FlowKind } from "@syla/contracts/flow-kinds";

interface RawEdge {
  id: string;
  from: { node: string; port: string };
  to: { node: string; port: string };
}
export interface RawNode {
  id: string;
  kind: string;
  label?: string;
  bypassed?: true;
  onError?: object;
  config: object;
  body?: RawBody;
}
export interface RawBody {
  nodes: RawNode[];
  edges: RawEdge[];
}

export function node(id: string, kind: FlowKind, config: object = {}, more: { label?: string; body?: RawBody } = {}): RawNode {
  return { id, kind, config, ...more };
}

/** Edges are written `from.port -> to.port`. */
export function body(nodes: RawNode[], ...edges: string[]): RawBody {
  return {
    nodes,
    edges: edges.map((text, index) => {
      const [from = "", to = ""] = text.split(" -> ");
      const end = (written: string) => ({ node: written.slice(0, written.indexOf(".")), port: written.slice(written.indexOf(".") + 1) });
      return { id: `e${index}`, from: end(from), to: end(to) };
    }),
  };
}

export function graph(nodes: RawNode[], ...edges: string[]) {
  return { format: 1, name: "Example", ...body(nodes, ...edges) };
}
