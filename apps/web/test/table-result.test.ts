import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { parseTable, TableResult } from "../src/sandboxes/detail/table-result.tsx";

/** The text of each cell, and of what is said below them. */
function draw(document: unknown): readonly string[] {
  const table = parseTable(document);
  if (table === null) throw new Error("it is no table");
  const html = renderToStaticMarkup(createElement(ChakraProvider, { value: defaultSystem }, createElement(TableResult, { table })));
  return [...html.matchAll(/<(th|td|p)\b[^>]*>([^<]*)/g)].map(([, , text = ""]) => text);
}

test("names and values are shown as text, whatever a program called them", () => {
  const fields = [{ name: "constructor" }, { name: "__proto__" }, { name: { toString: 1 } }, { name: null }, {}];
  expect(draw({ schema: { fields }, data: [{ null: null }, JSON.parse('{"__proto__": {"toString": 1}}')] })).toEqual([
    ...["constructor", "__proto__", "{&quot;toString&quot;:1}", "null", ""],
    ...["", "", "", "", ""],
    ...["", "{&quot;toString&quot;:1}", "", "", ""],
    "2 rows",
  ]);
});
