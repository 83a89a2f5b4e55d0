import { expect, test } from "vitest";
import { accepts } from "../src/accepts.ts";
import { parseType } from "../src/type-parser.ts";

test.each([
  ["Any", [1, "a", null, [], {}], []],
  ["int", [0, -3], [1.5, "1", true, null]],
  ["float", [1, 1.5], ["1", true]],
  ["str | None", ["", null], [0, false]],
  ["bool", [true], [1, "true"]],
  ["list[int]", [[], [1]], [[1, "a"], {}, null]],
  ["dict[str, int]", [{}, { a: 1 }], [{ a: "1" }, []]],
  ["Literal['a', 'b']", ["a"], ["c", null]],
  ["{name: str, age?: int}", [{ name: "Ann" }, { name: "Ann", age: 3, more: 1 }], [{}, { name: 1 }, { name: "Ann", age: "3" }]],
  ["MelleaSession", [], ["granite", {}]],
])("%s", (type, yes, no) => {
  const read = parseType(type);
  expect(yes.filter((value) => !accepts(read, value))).toEqual([]);
  expect(no.filter((value) => accepts(read, value))).toEqual([]);
});

test("what is inherited is no field", () => {
  expect(accepts(parseType("{constructor: Any}"), {})).toBe(false);
});
