import fc from "fast-check";
import { expect, test } from "vitest";
import { joinWords, readVariables, splitWords } from "../src/programs/run-words.ts";

test.each([
  ["", []],
  ["  a   b ", ["a", "b"]],
  [`'a b' "c d"`, ["a b", "c d"]],
  [`a'b'"c"`, ["abc"]],
  [String.raw`a\ b "c\"d" 'e\f'`, ["a b", 'c"d', String.raw`e\f`]],
  ["''", [""]],
  ["'open", null],
  ['"open', null],
])("the line %j has the words %j", (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test("words that are quoted come back as they were", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(splitWords(joinWords(words))).toEqual(words);
    }),
  );
});

test("variables are read line by line, and a line that is none is told", () => {
  expect(readVariables("A=1\n\n B=x=y\n")).toEqual({ values: { A: "1", B: "x=y" }, problem: null });
  expect(readVariables("A=1\n1B=2").problem).toContain("1B=2");
});
