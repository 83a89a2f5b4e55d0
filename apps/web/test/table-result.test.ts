import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { parseTable, TableResult } from "../src/sandboxes/detail/table-result.tsx";

/** The text of each cell, and of what is said below them. */
function draw(document: unknown): readonly string[] {
  const table = parseTable(document);
  if (table === null) throw new Error("it is no table");
  const shown = createElement(TableResult, { table });
  // oxlint-disable-next-line react/no-children-prop -- the type of the provider wants it
  const html = renderToStaticMarkup(createElement(ChakraProvider, { value: defaultSystem, children: shown }));
  return [...html.matchAll(/<(th|td|p)\b[^>]*>([^<]*)/g)].map(([, , text = ""]) => text);
}

test("names and values are shown as text, whatever a program called them", () => {
  const fields = [{ name: "constructor" }, { name: "__proto__" }, { name: { toString: 1 } }, { name: null }, {}];
  expect(draw({ schema: { fields }, data: [{ null: null }, JSON.parse('{"__proto__": {"toString": 1}}')] })).toEqual([
    "constructor",
    "__proto__",
    "{&quot;toString&quot;:1}",
    "null",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "{&quot;toString&quot;:1}",
    "",
    "",
    "",
    "2 rows",
  ]);
});

test("no more than ten thousand cells are drawn, and the rows that are left out are counted", () => {
  const names = Array.from({ length: 200 }, (_, index) => `c${index}`);
  const cells = draw({ schema: { fields: names }, data: Array.from({ length: 1000 }, () => ({ c0: 1 })), rows: 5000 });
  expect(cells).toHaveLength(100 + 100 * 100 + 1);
  expect(cells.at(-1)).toBe("5,000 rows, the first 100 are shown; 200 columns, the first 100 are shown");
});
