import { newCell, newNotebook } from "@syla/contracts/notebook";
import { describe, expect, it } from "vitest";
import * as edits from "../src/notebook/notebook-edits.ts";

function start(...sources: string[]): edits.NotebookState {
  const notebook = newNotebook("python");
  return edits.startState({ ...notebook, cells: sources.map((source) => newCell(notebook, "code", source)) });
}
const sources = ({ notebook }: edits.NotebookState) => notebook.cells.map(({ source }) => source);
const chosen = (state: edits.NotebookState) => state.notebook.cells[edits.indexOf(state)]?.source;

describe("the cells of a notebook", () => {
  it("are added, moved and deleted around the chosen one, which is never missing", () => {
    let state = start("a", "b");
    state = edits.addCell(state, 1);
    expect([sources(state), chosen(state)]).toEqual([["a", "", "b"], ""]);
    state = edits.moveCell(edits.moveSelection(state, 1), -1);
    expect([sources(state), chosen(state)]).toEqual([["a", "b", ""], "b"]);
    expect(edits.moveCell(edits.moveSelection(state, -5), -1)).toEqual(edits.moveSelection(state, -5));
    for (let count = 0; count < 4; count += 1) state = edits.deleteCell(state);
    expect([sources(state), chosen(state)]).toEqual([[""], ""]);
  });

  it("come back when that is taken back, with what was written in the others since", () => {
    const before = start("a", "b", "c");
    const [, b, c] = before.notebook.cells;
    let state = edits.deleteCell(before, b?.id);
    state = edits.changeCell(state, c?.id ?? "", (cell) => ({ ...cell, source: "c2" }));
    expect(sources(state)).toEqual(["a", "c2"]);
    state = edits.undo(state);
    expect([sources(state), chosen(state)]).toEqual([["a", "b", "c2"], "b"]);
    expect(sources(edits.redo(state))).toEqual(["a", "c2"]);
    expect(edits.undo(start("a"))).toEqual(expect.objectContaining({ past: [] }));
  });

  it("change their kind and back, and lose their outputs alone", () => {
    const state = start("# t");
    const text = edits.setKind(state, "markdown");
    expect(text.notebook.cells.map(({ kind, source }) => [kind, source])).toEqual([["markdown", "# t"]]);
    expect(edits.undo(text).notebook.cells.map(({ kind }) => kind)).toEqual(["code"]);
    const ran = edits.changeCell(state, state.selected, (cell) => ({ ...cell, outputs: [{}], executionCount: 3 }));
    expect(edits.clearOutputs(ran).notebook.cells).toMatchObject([{ outputs: [], executionCount: null, source: "# t" }]);
    expect(edits.pasteCell(ran, ran.notebook.cells[0] ?? newCell(ran.notebook, "code")).notebook.cells).toMatchObject([
      { outputs: [{}] },
      { outputs: [{}] },
    ]);
  });
});
