import { expect, it } from "vitest";
import { changedLines } from "../src/builder/changed-lines.ts";

it("of two texts the lines are told that differ", () => {
  expect(changedLines("a\nb\nc", "a\nx\ny\nc")).toEqual({ removed: ["b"], added: ["x", "y"] });
  expect(changedLines("a\na", "a\na\na")).toEqual({ removed: [], added: ["a"] });
  expect(changedLines("", "a")).toEqual({ removed: [], added: ["a"] });
  expect(changedLines("a\nb", "")).toEqual({ removed: ["a", "b"], added: [] });
  expect(changedLines("same", "same")).toEqual({ removed: [], added: [] });
});
