import fc from "fast-check";
import { expect, test } from "vitest";
import { refusalOf } from "../src/assignable.ts";
import { parseType } from "../src/type-parser.ts";
import { printType, unionOf, type FlowType } from "../src/types.ts";

test.each([
  ["list[Literal['a', 'b']] | None", 'list[Literal["a", "b"]] | None'],
  ["Optional[str]", "str | None"],
  ["typing.Optional['int']", "int | None"],
  ["Union[int, str, int]", "int | str"],
  ["Union[int, Union[str, None]]", "int | str | None"],
  ["List[Dict[str, float]]", "list[dict[str, float]]"],
  ["Annotated[str, Field(max_length=3)]", "str"],
  ["Annotated[str, 'short']", "str"],
  ["Sequence[bool]", "list[bool]"],
  ["Literal[1, True, None]", "Literal[1, True] | None"],
  ["Literal['it\\'s', \"q\\\"\"]", 'Literal["it\'s", "q\\""]'],
  ["{name: str, age?: int}", "{name: str, age?: int}"],
  ["{'a b': list[int],}", '{"a b": list[int]}'],
  ["tuple[int, str]", "tuple[int, str]"],
  ["Callable[[int], str]", "Callable[[int], str]"],
  ["pd.DataFrame", "pd.DataFrame"],
  ["list", "list[Any]"],
  ["Any", "Any"],
  ["int | Any", "Any"],
  ["list[", "list["],
  ["'list[int]'", "list[int]"],
  ["MelleaSession", "MelleaSession"],
])("%s is read as %s", (source, printed) => {
  expect(printType(parseType(source))).toBe(printed);
});

/** From, to, and the reason for which the edge is refused; null: it passes. */
const edges: readonly [string, string, string | null][] = [
  ["str", "str", null],
  ["str", "Any", null],
  ["Any", "int", null],
  ["int", "float", null],
  ["float", "int", "float is no int: it may have a fraction"],
  ["bool", "int", "bool is no int: a truth value would be counted as 0 or 1"],
  ["bool", "float", "bool is no float: a truth value would be counted as 0 or 1"],
  ["int", "bool", "int is no bool"],
  ["int", "str", "int is no str"],
  ["str", "str | None", null],
  ["str | None", "str", "None is no str: the value may be missing"],
  ["None", "str", "None is no str: the value may be missing"],
  ["Literal['yes']", "str", null],
  ["Literal['yes', 'no']", "Literal['no', 'yes', 'maybe']", null],
  ["Literal['yes', 'no']", "Literal['yes']", 'Literal["no"] is no Literal["yes"]'],
  ["str", "Literal['yes']", 'str is no Literal["yes"]'],
  ["Literal[1]", "float", null],
  ["Literal[1.5]", "int", "float is no int: it may have a fraction"],
  ["Literal[True]", "int", "bool is no int: a truth value would be counted as 0 or 1"],
  ["list[int]", "list[float]", null],
  ["list[int | None]", "list[int]", "items: None is no int: the value may be missing"],
  ["list[int] | list[str]", "list[int | str]", null],
  ["list[int | str]", "list[int] | list[str]", "list[int | str] is none of list[int] | list[str]"],
  ["list[str]", "str", "list[str] is no str"],
  ["str", "list[str]", "str is no list[str]"],
  ["list[list[bool]]", "list[list[int]]", "items: items: bool is no int: a truth value would be counted as 0 or 1"],
  ["{a: int, b: str}", "{a: int}", null],
  ["{a: int}", "{a: int, b?: str}", null],
  ["{a: int}", "{a: int, b: str}", "field b is missing"],
  ["{a?: int}", "{a: int}", "field a may be missing"],
  ["{a: bool}", "{a: int}", "field a: bool is no int: a truth value would be counted as 0 or 1"],
  ["{a: int, b: int}", "dict[str, int]", null],
  ["{a: int, b: str}", "dict[str, int]", "field b: str is no int"],
  ["dict[str, int]", "{a: int}", "dict[str, int] is no {a: int}"],
  ["dict[str, int]", "dict[str, float]", null],
  ["dict[int, int]", "dict[str, int]", "keys: int is no str"],
  ["MelleaSession", "MelleaSession", null],
  ["MelleaSession", "str", "MelleaSession is no str"],
  ["Context", "MelleaSession", "Context is no MelleaSession"],
  ["pd.DataFrame", "pd.DataFrame", null],
  ["pd.DataFrame", "pl.DataFrame", "pd.DataFrame is no pl.DataFrame"],
  ["tuple[int, str]", "tuple[int, int]", "tuple[int, str] is no tuple[int, int]"],
];

test.each(edges)("an edge from %s to %s: %s", (from, to, reason) => {
  expect(refusalOf(parseType(from), parseType(to)) ?? null).toBe(reason);
});

const types = fc.letrec<{ type: FlowType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<FlowType>(
      { kind: "any" },
      { kind: "none" },
      { kind: "text" },
      { kind: "integer" },
      { kind: "number" },
      { kind: "boolean" },
    ),
    fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean()).map((value): FlowType => ({ kind: "literal", value })),
    tie("type").map((item): FlowType => ({ kind: "list", item })),
    fc.tuple(tie("type"), tie("type")).map(([key, value]): FlowType => ({ kind: "map", key, value })),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie("type"), fc.boolean()), { selector: ([name]) => name, maxLength: 3 })
      .map((fields): FlowType => ({ kind: "record", fields: fields.map(([name, type, isOptional]) => ({ name, type, isOptional })) })),
    fc.array(tie("type"), { minLength: 1, maxLength: 3 }).map(unionOf),
  ),
})).type;

test("what is printed is read back, and fits itself", () => {
  fc.assert(
    fc.property(types, (type) => {
      const printed = printType(type);
      const read = parseType(printed);
      expect(printType(read)).toBe(printed);
      expect(refusalOf(type, read)).toBeUndefined();
    }),
  );
});

test("any text is some type", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."list[]|{}:?,'\"()\\a1 ".split("")) })),
      (source) => void printType(parseType(source)),
    ),
  );
  expect(parseType("list[".repeat(500) + "int" + "]".repeat(500)).kind).toBe("opaque");
});
