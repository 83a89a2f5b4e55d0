import fc from "fast-check";
import { expect, it } from "vitest";
import { analyseAll, importAllForReal, type Tree } from "./analyse-here.ts";
import { findMissed, findWrong } from "./compare-slots.ts";

/** Programs that pass mellea's decorator, and others of the same name, through aliases, branches, loops, functions and modules. */

/** `SYLA_TEST_PROGRAMS` and `SYLA_TEST_SEED` try more, and others. */
const { SYLA_TEST_PROGRAMS = "60", SYLA_TEST_SEED = "20250101" } = process.env;
const name = fc.constantFrom("generative", "g", "m", "d");
const expression: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: name },
  name.map((base) => `${base}.generative`),
  fc.tuple(name, name).map(([base, attribute]) => `${base}.${attribute}`),
);
const decoys: fc.Arbitrary<string> = fc.oneof(
  name.map((alias) => `def ${alias}(f):\n    return f`),
  name.map((alias) => `${alias} = lambda f: f`),
  name.map((alias) => `class ${alias}:\n    generative = staticmethod(lambda f: f)`),
  name.map((alias) => `for ${alias} in [len]:\n    pass`),
  name.map((alias) => `try:\n    missing\nexcept NameError as ${alias}:\n    pass`),
  name.map((alias) => `def change():\n    global ${alias}\n    ${alias} = lambda f: f\nchange()`),
  name.map((alias) => `del ${alias}`),
  name.map((alias) => `print((${alias} := len))`),
);

/** Ways to bind a name. A module imports those before it: what is in a circle depends on who comes first, and has cases of its own. */
function bindings(others: readonly string[]): fc.Arbitrary<string> {
  const other = fc.constantFrom(...others);
  return fc.oneof(
    { weight: 6, arbitrary: name.map((alias) => `from mellea import generative as ${alias}`) },
    { weight: 2, arbitrary: name.map((alias) => `import mellea as ${alias}`) },
    name.map((alias) => `from mellea.stdlib.components import genstub as ${alias}`),
    name.map((alias) => `import mellea.stdlib.components.genslot as ${alias}`),
    fc.tuple(other, name, name).map(([from, what, alias]) => `from app.${from} import ${what} as ${alias}`),
    fc.tuple(other, name).map(([from, alias]) => `from . import ${from} as ${alias}`),
    fc.tuple(name, expression).map(([alias, value]) => `${alias} = ${value}`),
    other.map((from) => `from app.${from} import *`),
  );
}

function indent(lines: readonly string[]): string {
  return lines.length === 0 ? "    pass" : lines.map((line) => `    ${line.replaceAll("\n", "\n    ")}`).join("\n");
}

function branching(block: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const test = fc.constantFrom("YES", "NO", "True", "False", "not YES");
  return fc.oneof(
    fc.tuple(test, block, block).map(([when, a, b]) => `if ${when}:\n${a}\nelse:\n${b}`),
    fc
      .tuple(block, fc.constantFrom("YES", "NO"), block, block)
      .map(([a, raises, b, c]) => `try:\n${a}\n    if ${raises}:\n        raise AttributeError\n${b}\nexcept AttributeError:\n${c}`),
    fc.tuple(block, block).map(([a, b]) => `try:\n${a}\nfinally:\n${b}`),
    block.map((body) => `for i in range(2):\n${body}`),
    block.map((body) => `while NO:\n${body}`),
  );
}

function definitions(block: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const plain = (decorator: string) => `@${decorator}\ndef SLOT(text: str) -> str: ...`;
  return fc.oneof(
    expression.map(plain),
    expression.map((decorator) => `@${decorator}\nasync def SLOT(text: str, *, tone: int = 1) -> str: ...`),
    expression.map((decorator) => `SLOT = ${decorator}(plain)`),
    expression.map((decorator) => `class C_SLOT:\n    @staticmethod\n    @${decorator}\n    def SLOT(text: str) -> str: ...`),
    fc.tuple(expression, block).map(([decorator, body]) => `for i in range(2):\n${indent([plain(decorator)])}\n${body}`),
  );
}

function moduleSource(others: readonly string[]): fc.Arbitrary<string> {
  const simple = fc.oneof({ weight: 7, arbitrary: bindings(others) }, { weight: 2, arbitrary: decoys });
  const block = fc.array(simple, { maxLength: 2 }).map(indent);
  const statement = fc.oneof(
    { weight: 5, arbitrary: simple },
    { weight: 2, arbitrary: branching(block) },
    { weight: 4, arbitrary: definitions(block) },
  );
  return fc.array(statement, { minLength: 4, maxLength: 14 }).map((lines) => {
    const numbered = lines.map((line, index) => line.replaceAll("SLOT", `slot_${index}`));
    return ["YES, NO = len([1]) == 1, len([1]) == 0", "def plain(text: str) -> str: ...", ...numbered, ""].join("\n");
  });
}

const program: fc.Arbitrary<Tree> = fc
  .tuple(moduleSource(["decoy"]), moduleSource(["decoy", "one"]), moduleSource(["decoy", "one", "two"]))
  .map(([one, two, three]) => ({
    "app/__init__.py": "",
    "app/decoy.py": "def generative(f): return f\ng = d = generative\nclass m:\n    generative = staticmethod(generative)\n",
    "app/one.py": one,
    "app/two.py": two,
    "app/three.py": three,
  }));

it("nothing is told to be a callable slot that is none, however its decorator came to its name", () => {
  const trees = fc.sample(program, { numRuns: Number(SYLA_TEST_PROGRAMS), seed: Number(SYLA_TEST_SEED) });
  const documents = analyseAll(trees);
  const real = importAllForReal(trees, true);
  const failures = documents.flatMap((document, index) => {
    const wrong = findWrong(document, real[index] ?? []);
    return wrong.length === 0 ? [] : [{ wrong, tree: trees[index] }];
  });
  expect(failures[0] ?? null).toBe(null);
  const callable = documents.flatMap(({ slots }) => slots.filter((slot) => slot.callable)).length;
  const missed = documents.flatMap((document, index) => findMissed(document, real[index] ?? [])).length;
  // It would be easy to be right and find nothing.
  expect(callable).toBeGreaterThan(trees.length / 2);
  expect(callable).toBeGreaterThan(missed / 2);
});
