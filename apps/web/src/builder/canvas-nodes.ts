import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import type { FlowPort } from "@syla/flow/ports";
import { printType } from "@syla/flow/types";
import type { Edge, Node } from "@xyflow/react";
import type { BodyPath } from "./edits/bodies.ts";
import type { Point } from "./edits/move.ts";
import { describeArgument } from "./describe-argument.ts";
import { type BodyFacts, factsOf } from "./facts.ts";
import { kindLooks, titleOf } from "./kinds.ts";

/** A port as it is drawn. */
export interface PortLook {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  /** What is said of it when it is hovered. */
  readonly tip: string;
}

/** What a node of the canvas is drawn from. */
export type CanvasNode = Node<{
  readonly node: FlowNode;
  readonly inputs: readonly PortLook[];
  readonly outputs: readonly PortLook[];
}>;
export type CanvasEdge = Edge<{ readonly category: string }>;

/** What is written of a port. */
function docOf(node: FlowNode, name: string, isInput: boolean): string {
  if (node.kind === "slot") return isInput ? describeArgument(node.config.docstring, name) : node.config.docstring;
  return "description" in node.config ? node.config.description : "";
}

function lookOf(node: FlowNode, { name, type, isRequired }: FlowPort, isInput: boolean): PortLook {
  const written = printType(type);
  const doc = docOf(node, name, isInput);
  const needed = isInput ? (isRequired ? ", needed" : ", optional") : "";
  return { name, type: written, isRequired, tip: `${name}: ${written}${needed}${doc === "" ? "" : `. ${doc.slice(0, 300)}`}` };
}

const drawn = new WeakMap<FlowNode, CanvasNode["data"]>();

/** The same object as long as the same is drawn. */
function dataOf(node: FlowNode, facts: BodyFacts): CanvasNode["data"] {
  const before = drawn.get(node);
  const outputs = facts.outputs(node);
  if (before !== undefined && outputs.every(({ type }, index) => printType(type) === before.outputs[index]?.type)) return before;
  const data = {
    node,
    inputs: facts.inputs(node).map((port) => lookOf(node, port, true)),
    outputs: outputs.map((port) => lookOf(node, port, false)),
  };
  drawn.set(node, data);
  return data;
}

interface NodesShown {
  readonly selected: ReadonlySet<string>;
  /** The one that Tab reaches. */
  readonly current: string | undefined;
  /** Where others have nodes that they are moving. What is moved here is where it is here. */
  readonly places: ReadonlyMap<string, Point>;
}

/** What React Flow is given for a graph. Nodes that have not changed are the same objects as before: they are not drawn again. */
export function canvasNodes(body: FlowBody, before: readonly CanvasNode[], { selected, current, places }: NodesShown): CanvasNode[] {
  const facts = factsOf(body);
  const known = new Map(before.map((node) => [node.id, node]));
  return body.nodes.map((node) => {
    const old = known.get(node.id);
    const data = dataOf(node, facts);
    const isSelected = selected.has(node.id);
    const focusable = node.id === current;
    const position = old?.dragging === true ? old.position : (places.get(node.id) ?? node.position);
    if (
      old !== undefined &&
      old.data === data &&
      (old.selected ?? false) === isSelected &&
      old.focusable === focusable &&
      old.position.x === position.x &&
      old.position.y === position.y
    )
      return old;
    const frame = node.kind === "note" ? node.config.frame : undefined;
    return {
      ...old,
      id: node.id,
      type: node.kind === "note" ? (frame === undefined ? "note" : "frame") : "node",
      position,
      data,
      selected: isSelected,
      focusable,
      zIndex: frame === undefined ? 0 : -1,
      ...(frame === undefined ? {} : { width: frame.width, height: frame.height }),
      ariaLabel: `${titleOf(node)}, ${kindLooks[node.kind].label}`,
      ariaRole: "group",
      // One of them is reached with Tab; arrows lead to the others.
      domAttributes: { tabIndex: focusable ? 0 : -1 },
    };
  });
}

/** The same for its wires. */
export function canvasEdges(body: FlowBody, before: readonly CanvasEdge[], selected: ReadonlySet<string>): CanvasEdge[] {
  const { index } = factsOf(body);
  const known = new Map(before.map((edge) => [edge.id, edge]));
  return body.edges.flatMap((edge): CanvasEdge[] => {
    const from = index.nodes.get(edge.from.node);
    if (from === undefined || !index.nodes.has(edge.to.node)) return [];
    const old = known.get(edge.id);
    const category = kindLooks[from.kind].category;
    if (old !== undefined && isSame(old, edge, category, selected.has(edge.id))) return [old];
    return [
      {
        id: edge.id,
        type: "wire",
        source: edge.from.node,
        sourceHandle: edge.from.port,
        target: edge.to.node,
        targetHandle: edge.to.port,
        data: { category },
        selected: selected.has(edge.id),
        focusable: false,
        className: `wire-${category}`,
      },
    ];
  });
}

function isSame(old: CanvasEdge, { from, to }: FlowEdge, category: string, isSelected: boolean): boolean {
  return (
    old.source === from.node &&
    old.sourceHandle === from.port &&
    old.target === to.node &&
    old.targetHandle === to.port &&
    old.data?.category === category &&
    (old.selected ?? false) === isSelected
  );
}

/** A node's place in a composition, as runs name it. */
export function nodePathOf(path: BodyPath, id: string): string {
  return [...path, id].join("/");
}
