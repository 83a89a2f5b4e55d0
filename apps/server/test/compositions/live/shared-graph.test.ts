import { AppError } from "@syla/contracts/errors";
import type { FlowBody, FlowGraph } from "@syla/contracts/flow";
import { checkUpdate } from "@syla/server/compositions/live/check-update";
import { readShared, rewriteText, withOwnIds, writeShared } from "@syla/flow/shared-graph";
import { validateFlow } from "@syla/flow/validate";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { graph, moduleOf, node, shout } from "../graphs.ts";
import { isWhole, wired, without, withMore, withNode } from "./drawer.ts";

const empty = { ...parse(graph([])), name: "" };

function parse(value: unknown): FlowGraph {
  const { graph: read, problems } = validateFlow(value);
  if (read === undefined) throw new Error(JSON.stringify(problems));
  return read;
}

function documentOf(value: FlowGraph): Y.Doc {
  const document = new Y.Doc();
  document.transact(() => writeShared(document, empty, value));
  return document;
}

function replicaOf(document: Y.Doc): Y.Doc {
  const replica = new Y.Doc();
  Y.applyUpdate(replica, Y.encodeStateAsUpdate(document));
  return replica;
}

function refusalOf(work: () => unknown): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}

function draw(document: Y.Doc, change: (graph: FlowGraph) => FlowBody): void {
  const { graph: before } = readShared(document);
  document.transact(() => writeShared(document, before, { ...before, ...change(before) }));
}

const many = parse(
  graph(
    [
      ...shout.nodes,
      moduleOf("mod", { id: "comp_other" }),
      node("n", "note", { text: "words", frame: { width: 10, height: 20 } }, { label: "Frame" }),
      node(
        "h",
        "http",
        { url: "https://example.org", headers: { a: "b" }, allowedHosts: [] },
        { bypassed: true, onError: { retries: 2, waitSeconds: 1 } },
      ),
    ],
    "in.value -> up.text",
    "in.value -> mod.text",
    "up.result -> out.value",
  ),
);

describe("a graph in a document", () => {
  it("comes out as it went in, byte by byte, and as the same objects where nothing has changed", () => {
    const document = documentOf(many);
    const first = readShared(document);
    expect(JSON.stringify(parse(first.graph))).toBe(JSON.stringify(many));
    expect(readShared(document, first).graph).toBe(first.graph);
    draw(document, (now) => withNode(now, "up", () => ({ label: "New" })));
    const second = readShared(document, first).graph;
    expect(second.nodes.map((each, index) => each === first.graph.nodes[index])).toEqual([true, false, true, true, true, true]);
    expect(second.edges).toBe(first.graph.edges);
  });

  it("becomes any other graph, also in another order", () => {
    const document = documentOf(many);
    const other = parse({ ...many, name: "Other", nodes: many.nodes.toReversed(), edges: many.edges.slice(1) });
    for (const next of [other, empty, many, parse(shout), many]) {
      const { graph: before } = readShared(document);
      document.transact(() => writeShared(document, before, next));
      expect(parse(readShared(document).graph)).toEqual(next);
    }
  });

  it("has what fits of a text that two have made too long, and nothing that is no node", () => {
    const document = documentOf(many);
    const [one, other] = [replicaOf(document), replicaOf(document)];
    draw(one, (now) => withNode(now, "up", () => ({ label: "a".repeat(200) })));
    draw(other, (now) => withNode(now, "up", () => ({ label: "b".repeat(200) })));
    for (const replica of [one, other]) Y.applyUpdate(document, Y.encodeStateAsUpdate(replica));
    expect(readShared(document).graph.nodes.find(({ id }) => id === "up")?.label).toHaveLength(200);
    const fields = document.getMap("graph");
    fields.set("n bad kind", "no such kind");
    fields.set("n in/deep kind", "note");
    fields.set("n lo ng/x kind", 7);
    fields.set("e  up text 9", { id: "e 9", from: 1 });
    fields.set("anything", { at: "all" });
    fields.set("n out config.name", 7);
    fields.set("m viewport", { x: "far" });
    const { graph: seen } = readShared(document);
    expect(seen.nodes.map(({ id }) => id)).toEqual(["in", "up", "mod", "n", "h"]);
    expect(isWhole(seen)).toBe(true);
    expect(validateFlow(seen).graph).toBeDefined();
  });

  it("gives what is new ids of its own, with the wires to it", () => {
    const before = parse(shout);
    const after = { ...before, ...wired(withMore(before, node("up_2", "note", {})), "e9", ["up_2", "x"], ["out", "value"]) };
    const { graph: own, ids } = withOwnIds(before, after, () => "abcdef");
    expect([...ids]).toEqual([["up_2", "up_xabcdef"]]);
    expect(own.edges.at(-1)?.from.node).toBe("up_xabcdef");
    const again = { ...own, ...withMore(own, node("up_xabcdef_2", "note", {})) };
    expect(withOwnIds(own, again, () => "ghijkl").graph.nodes.at(-1)?.id).toBe("up_xghijkl");
    expect(withOwnIds(before, { ...before, name: "Only this" }, () => "abcdef").graph.nodes).toBe(before.nodes);
  });

  it("rewrites a text by what differs, and cuts no letter", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "😀", "😁", "\n"), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const written = new Y.Doc().getText("t");
        written.insert(0, before);
        rewriteText(written, after);
        expect(written.toJSON()).toBe(after);
      }),
      { numRuns: 500 },
    );
  });
});

type Act = { readonly kind: "add" | "remove" | "wire" | "move" | "write"; readonly at: number; readonly to: number };
const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom("add" as const, "remove" as const, "wire" as const, "move" as const, "write" as const),
  at: fc.nat({ max: 100 }),
  to: fc.nat({ max: 100 }),
});

let added = 0;
function perform(document: Y.Doc, { kind, at, to }: Act): void {
  draw(document, (now) => {
    const ids = now.nodes.map(({ id }) => id);
    const [one, other] = [ids[at % Math.max(1, ids.length)] ?? "", ids[to % Math.max(1, ids.length)] ?? ""];
    if (kind === "add")
      return withMore(now, node(`new${(added += 1)}`, "note", { text: "words" }, { label: "", position: { x: at, y: to } }));
    if (kind === "remove") return without(now, one);
    if (kind === "wire") return wired(now, `e_${at}`, [one, "value"], [other, "text"]);
    if (kind === "move") return withNode(now, one, () => ({ position: { x: at, y: to } }));
    return withNode(now, one, ({ label }) => ({ label: `${label.slice(0, at % 5)}${to}${label.slice(at % 5)}`.slice(0, 100) }));
  });
}

it("is the same graph wherever the same changes have come, whatever was done at once, and each change is taken", () => {
  fc.assert(
    fc.property(fc.array(fc.array(act, { maxLength: 8 }), { minLength: 2, maxLength: 4 }), fc.boolean(), (people, isUndone) => {
      const document = documentOf(many);
      const replicas = people.map((acts) => {
        const replica = replicaOf(document);
        const undo = new Y.UndoManager(replica, { captureTimeout: 0 });
        for (const one of acts) perform(replica, one);
        if (isUndone) undo.undo();
        return replica;
      });
      const updates = replicas.map((replica) => Y.encodeStateAsUpdate(replica));
      const taking = replicaOf(document);
      for (const update of updates) {
        checkUpdate(taking, update);
        Y.applyUpdate(taking, update);
        expect(checkUpdate(taking, update).isEmpty).toBe(true);
      }
      for (const replica of replicas) for (const update of updates.toReversed()) Y.applyUpdate(replica, update);
      const { graph: end } = readShared(taking);
      for (const replica of replicas) expect(readShared(replica).graph).toEqual(end);
      expect(isWhole(end)).toBe(true);
      expect(validateFlow(end).graph).toEqual(end);
    }),
    { numRuns: 50 },
  );
});

describe("what comes from somebody", () => {
  const refused = (write: (replica: Y.Doc) => void): string | null => {
    const document = documentOf(many);
    const replica = replicaOf(document);
    const before = Y.encodeStateVector(replica);
    write(replica);
    try {
      checkUpdate(document, Y.encodeStateAsUpdate(replica, before));
      return null;
    } catch (error) {
      return error instanceof AppError ? error.code : String(error);
    }
  };
  const deep = Array.from({ length: 300 }).reduce<unknown>((value) => [value], 0);

  it.each([
    ["another map", (replica: Y.Doc) => replica.getMap("other").set("a", 1)],
    ["another text", (replica: Y.Doc) => replica.getText("content").insert(0, "text")],
    ["a text that is none", (replica: Y.Doc) => replica.getText("n up config.language").insert(0, "text")],
    ["a list", (replica: Y.Doc) => replica.getArray("list").insert(0, [1])],
    ["something within a field", (replica: Y.Doc) => replica.getMap("graph").set("n up kind", new Y.Map())],
    ["a text within a field", (replica: Y.Doc) => replica.getMap("graph").set("n up kind", new Y.Text("a"))],
    ["bytes", (replica: Y.Doc) => replica.getMap("graph").set("n up kind", new Uint8Array(4))],
    ["a number that JSON has not", (replica: Y.Doc) => replica.getMap("graph").set("n up kind", Number.NaN)],
    ["a large number", (replica: Y.Doc) => replica.getMap("graph").set("n up kind", 2n ** 40n)],
    ["nothing", (replica: Y.Doc) => replica.getMap("graph").set("n up kind", undefined)],
    ["what is too deep", (replica: Y.Doc) => replica.getMap("graph").set("n up kind", deep)],
    ["a long name", (replica: Y.Doc) => replica.getMap("graph").set("n".repeat(3000), 1)],
    ["a picture in a text", (replica: Y.Doc) => replica.getText("n up label").insertEmbed(0, { image: "x" })],
    ["formats", (replica: Y.Doc) => replica.getText("n n label").format(0, 2, { bold: true })],
    ["NUL", (replica: Y.Doc) => replica.getText("n up label").insert(0, "a\0")],
  ])("is refused when it is %s", (_, write) => {
    expect(refused(write)).toBe("live_update_invalid");
  });

  it("is refused when it is a value in a text, or a text in a field", () => {
    expect(refused((replica) => replica.getArray("n n label").insert(0, [1]))).toBe("live_update_invalid");
    const document = documentOf(many);
    const replica = replicaOf(document);
    const before = Y.encodeStateVector(replica);
    // It goes on from a letter, so it says nothing of where it is.
    const text = replica.getText("n n label");
    const after: Y.Item | null = Reflect.get(text, "_start");
    if (after === null) throw new Error("there is no text");
    const id = Y.createID(replica.clientID, 0);
    replica.transact((transaction) =>
      new Y.Item(id, after, after.lastId, after.right, after.right?.id ?? null, text, null, new Y.ContentAny([1])).integrate(
        transaction,
        0,
      ),
    );
    expect(() => checkUpdate(document, Y.encodeStateAsUpdate(replica, before))).toThrow(/A text is text/);
  });

  it("is refused when it is too much", () => {
    expect(refused((replica) => replica.getText("n n config.text").insert(0, "x".repeat(5 * 1024 * 1024)))).toMatch(/^live_/);
    const document = documentOf(many);
    const replica = replicaOf(document);
    let code = "";
    for (let count = 0; count < 8 && code === ""; count += 1) {
      const before = Y.encodeStateVector(replica);
      replica.getMap("graph").set(`n x${count} config.text`, "x".repeat(1_500_000));
      const update = Y.encodeStateAsUpdate(replica, before);
      try {
        checkUpdate(document, update);
        Y.applyUpdate(document, update);
      } catch (error) {
        code = error instanceof AppError ? error.code : String(error);
      }
    }
    expect(code).toBe("live_too_large");
  });

  it("is taken when it is large, and what was there is overwritten", () => {
    const document = documentOf(many);
    for (let count = 0; count < 8; count += 1) {
      const replica = replicaOf(document);
      const before = Y.encodeStateVector(replica);
      replica.getMap("graph").set("n x config.text", `${count}${"x".repeat(1_500_000)}`);
      const update = Y.encodeStateAsUpdate(replica, before);
      checkUpdate(document, update);
      Y.applyUpdate(document, update);
    }
    expect(readShared(document).graph.nodes).toHaveLength(many.nodes.length);
  });

  it("is never more than a coded refusal, whatever the bytes are", () => {
    const document = documentOf(many);
    const good = Y.encodeStateAsUpdate(documentOf(many));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        const target = replicaOf(document);
        const refusal = refusalOf(() => checkUpdate(target, bytes));
        expect(refusal === null || refusal instanceof AppError).toBe(true);
        if (refusal !== null) return;
        Y.applyUpdate(target, bytes);
        expect([target.store.pendingStructs, target.store.pendingDs]).toEqual([null, null]);
        expect(isWhole(readShared(target).graph)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
