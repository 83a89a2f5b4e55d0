import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  languageOf,
  newCell,
  newNotebook,
  NotebookError,
  parseNotebook,
  runnableSource,
  scriptOf,
  withKind,
  writeNotebook,
} from "../src/notebook.ts";
import { collectOutputs, shownOutput } from "../src/notebook-outputs.ts";

const problemOf = (text: string) => {
  try {
    parseNotebook(text);
    return null;
  } catch (error) {
    if (!(error instanceof NotebookError)) throw error;
    return error.message;
  }
};

describe("a notebook as a file", () => {
  it("is written as it was read, whatever else it holds", () => {
    const extra = fc.dictionary(
      fc.string().filter((name) => !["cells", "nbformat", "nbformat_minor", "__proto__"].includes(name)),
      fc.jsonValue(),
    );
    const source = fc.oneof(fc.string(), fc.array(fc.string()));
    const cell = fc.record({
      cell_type: fc.constantFrom("code", "markdown", "raw"),
      id: fc.constantFrom("a", "b", "", 3, null),
      metadata: fc.jsonValue(),
      source,
      outputs: fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
      execution_count: fc.constantFrom(null, 3),
      own: fc.jsonValue(),
    });
    fc.assert(
      fc.property(extra, fc.array(cell), fc.integer({ min: 0, max: 5 }), (more, cells, minor) => {
        const document = JSON.parse(JSON.stringify({ ...more, cells, nbformat: 4, nbformat_minor: minor })) as object;
        const read = parseNotebook(JSON.stringify(document));
        expect(JSON.parse(writeNotebook(read))).toEqual(document);
        expect(new Set(read.cells.map(({ id }) => id)).size).toBe(read.cells.length);
      }),
    );
  });

  it("keeps whole numbers that are too large for numbers here", () => {
    const text = '{"cells": [], "metadata": {"n": 123456789012345678901}, "nbformat": 4, "nbformat_minor": 5}';
    expect(writeNotebook(parseNotebook(text))).toContain('"n": 123456789012345678901');
  });

  it("says what is wrong with what is none, and never throws anything else", () => {
    expect(problemOf("{ no")).toMatch(/^It is not JSON/);
    expect(problemOf("[]")).toMatch(/no notebook/);
    expect(problemOf('{"nbformat": 3, "worksheets": []}')).toMatch(/version 3/);
    expect(problemOf('{"nbformat": 4}')).toMatch(/no list of cells/);
    expect(problemOf('{"nbformat": 4, "cells": [{"cell_type": "code"}, {"cell_type": "heading"}]}')).toMatch(/cell 2/);
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof problemOf(text) === "string"));
  });

  it("changes only what was changed, line by line", () => {
    const notebook = newNotebook("python");
    const [first] = notebook.cells;
    if (first === undefined) throw new Error("no cell");
    const cells = [
      { ...first, source: "a = 1\na", executionCount: 2, outputs: [{ output_type: "stream" }] },
      newCell(notebook, "markdown", "x\n"),
    ];
    const written = JSON.parse(writeNotebook({ ...notebook, cells })) as { cells: object[] };
    expect(written.cells).toMatchObject([
      { cell_type: "code", source: ["a = 1\n", "a"], execution_count: 2, outputs: [{ output_type: "stream" }] },
      { cell_type: "markdown", source: ["x\n"] },
    ]);
    const text = withKind(notebook, { ...first, source: "# t" }, "markdown");
    expect([text.id, text.kind, text.source, "outputs" in text.raw]).toEqual([first.id, "markdown", "# t", false]);
  });

  it("knows its language, and becomes a program", () => {
    expect([languageOf(newNotebook("python")), languageOf(newNotebook("javascript"))]).toEqual(["python", "javascript"]);
    const of = (metadata: object) => languageOf(parseNotebook(JSON.stringify({ cells: [], metadata, nbformat: 4, nbformat_minor: 4 })));
    expect([of({}), of({ kernelspec: { language: "R" } }), of({ language_info: { name: { a: 1 } } })]).toEqual(["python", null, null]);
    const notebook = newNotebook("python");
    const cells = [newCell(notebook, "markdown", "# T\n\nx"), newCell(notebook, "code", "%matplotlib inline\n!ls\na = 5 % 2")];
    expect(scriptOf({ ...notebook, cells })).toBe("# %% [markdown]\n# # T\n#\n# x\n\n# %%\n# %matplotlib inline\n# !ls\na = 5 % 2\n");
    expect(runnableSource("%matplotlib inline\nx %timeit", "python")).toBe("# %matplotlib inline\nx %timeit");
  });
});

describe("what cells show", () => {
  it("is gathered as notebooks have it", () => {
    const collector = collectOutputs(3);
    collector.add({ type: "output", stream: "stdout", text: "a" });
    collector.add({ type: "output", stream: "stdout", text: "b\n" });
    collector.add({ type: "output", stream: "stderr", text: "c" });
    collector.add({ type: "display", data: { "image/png": "aGk=" }, omitted: ["text/html"] });
    collector.add({ type: "result", data: { "text/plain": "1" }, omitted: [] });
    collector.add({ type: "error", name: "E", value: "v", traceback: "l1\nl2" });
    collector.add({ type: "done", status: "error" });
    expect(collector.outputs).toEqual([
      { name: "stdout", output_type: "stream", text: "ab\n" },
      { name: "stderr", output_type: "stream", text: "c" },
      { data: { "image/png": "aGk=" }, metadata: { omitted: ["text/html"] }, output_type: "display_data" },
      { data: { "text/plain": "1" }, execution_count: 3, metadata: {}, output_type: "execute_result" },
      { ename: "E", evalue: "v", output_type: "error", traceback: ["l1", "l2"] },
    ]);
    expect(collector.outputs.map((output) => shownOutput(output)?.type)).toEqual(["text", "text", "rich", "rich", "error"]);
  });

  it("is bounded, and says so once", () => {
    const collector = collectOutputs(1);
    for (let count = 0; count < 30; count += 1) collector.add({ type: "output", stream: "stdout", text: "x".repeat(100_000) });
    for (let count = 0; count < 30; count += 1)
      collector.add({ type: "display", data: { "text/plain": "y".repeat(1_000_000) }, omitted: [] });
    expect(JSON.stringify(collector.outputs).length).toBeLessThan(18_000_000);
    expect(JSON.stringify(collector.outputs).match(/left out/g)).toHaveLength(1);
  });

  it("is drawn from any file, or not at all", () => {
    expect(
      shownOutput({ output_type: "display_data", data: { "image/png": "aG\nk=\n", "text/html": ["<b>", "x"], "application/json": ["a"] } }),
    ).toEqual({
      type: "rich",
      omitted: [],
      data: { "image/png": "aGk=", "text/html": "<b>x", "application/json": ["a"] },
    });
    expect(shownOutput({ output_type: "error", ename: "A", evalue: "b", traceback: [] })).toEqual({ type: "error", text: "A: b" });
    fc.assert(
      fc.property(
        fc.constantFrom("stream", "error", "display_data", "execute_result", "other"),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (type, more) => {
          const shown = shownOutput({ data: more, ...more, output_type: type });
          expect(shown === null || ["text", "rich", "error"].includes(shown.type)).toBe(true);
        },
      ),
    );
  });
});
