import type { FlowBody } from "@syla/contracts/flow";
import { describe, expect, it } from "vitest";
import { canvasNodes } from "../src/builder/canvas-nodes.ts";
import { describeArgument } from "../src/builder/describe-argument.ts";
import { moveTo } from "../src/builder/edits/move.ts";
import { newNode } from "../src/builder/kinds.ts";
import { draggedPlaces } from "../src/builder/live/dragged-places.ts";

const none: ReadonlySet<string> = new Set();
const body: FlowBody = {
  nodes: [
    { ...newNode("input", { x: 0, y: 0 }), id: "in" },
    { ...newNode("code", { x: 300, y: 16 }), id: "code" },
    { ...newNode("output", { x: 600, y: 32 }), id: "out" },
  ],
  edges: [],
};

describe("what others are moving", () => {
  it("is where the node that they hold is, with what moves along", () => {
    const places = draggedPlaces(body, [{ node: "code", to: { x: 340, y: 0 }, along: ["out", "gone"] }]);
    expect([...places]).toEqual([
      ["code", { x: 340, y: 0 }],
      ["out", { x: 640, y: 16 }],
    ]);
    expect(draggedPlaces(body, [{ node: "gone", to: { x: 1, y: 1 }, along: ["in"] }]).size).toBe(0);
  });

  it("lies where the graph has it as soon as that is known, though they are told to move it still", () => {
    const drag = { node: "code", to: { x: 340, y: 0 }, along: ["out"] };
    const lying = moveTo(body, draggedPlaces(body, [drag]));
    expect(draggedPlaces(lying, [drag])).toEqual(new Map(lying.nodes.slice(1).map(({ id, position }) => [id, position])));
  });

  it("is drawn there, but not what is moved here; everything else is the same object as before", () => {
    const shown = { selected: none, current: undefined };
    const before = canvasNodes(body, [], { ...shown, places: new Map() });
    const held = before.map((node) => (node.id === "out" ? { ...node, dragging: true, position: { x: 5, y: 5 } } : node));
    const places = draggedPlaces(body, [{ node: "code", to: { x: 340, y: 0 }, along: ["out"] }]);
    const after = canvasNodes(body, held, { ...shown, places });
    expect(after.map(({ position }) => position)).toEqual([
      { x: 0, y: 0 },
      { x: 340, y: 0 },
      { x: 5, y: 5 },
    ]);
    expect(after[0]).toBe(before[0]);
    expect(canvasNodes(body, after, { ...shown, places: new Map() })[1]?.position).toEqual({ x: 300, y: 16 });
  });
});

describe("what a docstring says of an argument", () => {
  const google =
    "Shortens a text.\n\nArgs:\n    text (str): What is to be shortened,\n        as it is.\n    **rest: Whatever else.\n\nReturns:\n    str: less";
  const numpy = "Shortens a text.\n\nParameters\n----------\ntext : str\n    What is to be shortened.\nmost : int, optional\n    Words.";
  const sphinx = "Shortens a text.\n\n:param str text: What is to be shortened.\n:param most: Words.\n:returns: less";

  it("is found in Google's, NumPy's and Sphinx's way", () => {
    expect(describeArgument(google, "text")).toBe("What is to be shortened, as it is.");
    expect(describeArgument(google, "rest")).toBe("Whatever else.");
    expect(describeArgument(numpy, "text")).toBe("What is to be shortened.");
    expect(describeArgument(numpy, "most")).toBe("Words.");
    expect(describeArgument(sphinx, "text")).toBe("What is to be shortened.");
    expect(describeArgument(sphinx, "most")).toBe("Words.");
  });

  it("is nothing where nothing is said, or only in prose", () => {
    expect(describeArgument("text: is mentioned here", "text")).toBe("");
    expect(describeArgument(google, "other")).toBe("");
    expect(describeArgument("", "text")).toBe("");
  });

  it("is told, however long a docstring is", () => {
    const line = `text${" ".repeat(19_000)}`;
    expect(describeArgument(`Args:\n    ${line}\n`, "text")).toBe("");
    expect(describeArgument("\n".repeat(19_000), "text")).toBe("");
  });
});
