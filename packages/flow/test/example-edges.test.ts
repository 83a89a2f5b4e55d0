import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FlowBody } from "@syla/contracts/flow";
import { expect, test } from "vitest";
import { refusalOf } from "../src/assignable.ts";
import { typesOf } from "../src/check-body.ts";
import { indexBody } from "../src/order.ts";
import { inputsOf, outputsOf } from "../src/ports.ts";
import { any, printType } from "../src/types.ts";
import { validateFlow } from "../src/validate.ts";
import { walkNodes } from "../src/walk.ts";

const folder = join(import.meta.dirname, "../../../examples/compositions");

interface Edge {
  readonly edge: string;
  readonly types: string;
  readonly verdict: string;
  readonly isDrawn: boolean;
}

/** Every way from an output to an input of another node, and what the check says of it. */
function edgesOf(body: FlowBody): Edge[] {
  const types = typesOf(indexBody(body));
  const drawn = new Set(body.edges.map(({ from, to }) => `${from.node}.${from.port} -> ${to.node}.${to.port}`));
  return body.nodes.flatMap((from) =>
    outputsOf(from, new Map()).flatMap((output) => {
      const given = types.get(from.id)?.get(output.name) ?? any;
      return body.nodes.flatMap((to) =>
        to.id === from.id
          ? []
          : inputsOf(to).map((input): Edge => {
              const edge = `${from.id}.${output.name} -> ${to.id}.${input.name}`;
              const refusal = refusalOf(given, input.type);
              const shown = `${printType(given)} -> ${printType(input.type)}`;
              return { edge, types: shown, verdict: refusal === undefined ? "passes" : `fails: ${refusal}`, isDrawn: drawn.has(edge) };
            }),
      );
    }),
  );
}

const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
const all = names.flatMap((name) => {
  const { graph } = validateFlow(JSON.parse(readFileSync(join(folder, name), "utf8")));
  if (graph === undefined) throw new Error(name);
  const bodies: readonly (readonly [string, FlowBody])[] = [
    ["", graph],
    ...[...walkNodes(graph)].flatMap(({ path, node }) =>
      node.body === undefined ? [] : [[`/${[...path, node.id].join("/")}`, node.body] as const],
    ),
  ];
  return bodies.map(([place, body]) => [`${name.replace(".json", "")}${place}`, edgesOf(body)] as const);
});

test("every edge that the examples draw passes", () => {
  expect(all.flatMap(([, edges]) => edges.filter(({ isDrawn, verdict }) => isDrawn && verdict !== "passes"))).toEqual([]);
  expect(all.flatMap(([, edges]) => edges.filter(({ isDrawn }) => isDrawn)).length).toBeGreaterThan(50);
});

test("every edge that could be drawn in them passes or fails as the table says", async () => {
  const lines = all.flatMap(([name, edges]) => {
    const width = Math.max(...edges.map(({ edge }) => edge.length));
    const typeWidth = Math.max(...edges.map(({ types }) => types.length));
    return [
      "",
      name,
      ...edges.map(
        ({ edge, types, verdict, isDrawn }) =>
          `${isDrawn ? "drawn" : "     "} ${edge.padEnd(width)}  ${types.padEnd(typeWidth)}  ${verdict}`,
      ),
    ];
  });
  await expect([...lines.slice(1), ""].join("\n")).toMatchFileSnapshot("example-edges.txt");
});
