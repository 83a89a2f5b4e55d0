import type { FlowBody, FlowGraph } from "@syla/contracts/flow";
import { canonicalGraph } from "./canonical.ts";
import { toSnakeCase } from "./names.ts";
import { interfaceOf } from "./ports.ts";
import { Planned, type PlannedNode } from "./planned.ts";
import type { FlowProblem } from "./problems.ts";
import { BodyWriter, hook, type BodyFunction } from "./python/body.ts";
import { call, collection, comprehension, render, type Doc } from "./python/doc.ts";
import { defineContainer } from "./python/containers.ts";
import { PythonFile } from "./python/file.ts";
import { planBody } from "./python/plan.ts";
import { docstring, pyDict, pyLiteral, pyString } from "./python/strings.ts";
import { isSound, validateFlow } from "./validate.ts";
import { walkNodes } from "./walk.ts";

/** Where a node is in the file. Lines count from 1; a node may have several places. */
export interface NodeLines {
  path: readonly string[];
  node: string;
  from: number;
  to: number;
}
/** A composition as one Python file. */
export interface Compiled {
  source: string;
  lines: NodeLines[];
  /** The function of the graph, and what its parameters and results stand for. */
  entry: { name: string; isAsync: boolean; parameters: { port: string; name: string }[]; outputs: string[] };
}
/** A composition as a file that tells of its nodes while it runs, by the module `syla_hooks`, and what that has to know of them. */
export interface ToldCompiled extends Compiled {
  nodes: Record<string, PlannedNode>;
}

/** Compiles any document: the file, or all problems when there is an error among them. Warnings come along. */
export function compileFlow(document: unknown): { problems: FlowProblem[]; compiled: Compiled | undefined } {
  const { problems, graph } = validateFlow(document);
  return { problems, compiled: graph === undefined || !isSound(problems) ? undefined : compileGraph(graph) };
}

/** Compiles a graph that has no errors. The same graph gives the same file, whatever the order of its nodes in the document. */
export function compileGraph(given: FlowGraph): Compiled {
  return write(given, null);
}

/**
 * The same code, but that each node is called through hooks. `digests`: what the programs and models that it names are made of, by their ids;
 * `hasNetwork`: whether code of its run reaches anything but the model gateway.
 */
export function compileTold(given: FlowGraph, digests: ReadonlyMap<string, string> = new Map(), hasNetwork = false): ToldCompiled {
  const planned = new Planned(digests, hasNetwork);
  return { ...write(given, planned), nodes: planned.nodes };
}

function write(given: FlowGraph, planned: Planned | null): Compiled {
  const graph = canonicalGraph(given);
  const file = new PythonFile();
  const plan = planBody(graph);
  const name = file.names.take(toSnakeCase(graph.name, "flow"));
  const title = graph.name.trim() === "" ? "The composition." : graph.name;
  const entry = new BodyWriter({ file, isAsync: plan.isParallel, settles: settles(graph), planned, defineContainer }, plan, [], name).write(
    graph,
    name,
    title,
    true,
  );
  if (planned !== null) file.use("syla_hooks");
  writeMain(file, graph, entry, planned !== null);
  const { source, lines } = assemble(file, graph);
  return {
    source,
    lines,
    entry: {
      name,
      isAsync: entry.isAsync,
      parameters: [...entry.parameters].map(([port, parameter]) => ({ port, name: parameter })),
      outputs: entry.outputs.map((port) => port.name),
    },
  };
}

/** Whether a graph within is tried again, or something stands for it, when it fails: then nothing of it may go on by itself. */
function settles(body: FlowBody): boolean {
  return [...walkNodes(body)].some(({ node }) => node.body !== undefined && node.onError !== undefined);
}

function writeMain(file: PythonFile, graph: FlowGraph, entry: BodyFunction, isTold: boolean): void {
  for (const module of ["argparse", "json", "sys"]) file.use(module);
  if (entry.isAsync && !isTold) file.use("asyncio");
  const { inputs, outputs } = interfaceOf(graph);
  const defaults = new Map(
    graph.nodes.flatMap((node) => (node.kind === "input" ? [[node.config.name, node.config.default] as const] : [])),
  );
  const required = inputs.filter(({ isRequired }) => isRequired).map(({ name }) => pyString(name));
  const values = inputs.map(({ name, isRequired }): Doc => {
    const otherwise = defaults.get(name);
    const read: Doc = isRequired
      ? `inputs[${pyString(name)}]`
      : call("inputs.get", [pyString(name), ...(otherwise === null ? [] : [pyLiteral(otherwise)])]);
    return [entry.parameters.get(name) ?? name, "=", read];
  });
  const run = isTold
    ? call(hook("run"), [entry.name, ...values])
    : entry.isAsync
      ? call("asyncio.run", [call(entry.name, values)])
      : call(entry.name, values);
  const [only] = outputs;
  const printed: Doc =
    only === undefined
      ? "{}"
      : outputs.length === 1
        ? pyDict([[only.name, "result"]])
        : call("dict", [
            call("zip", [
              collection(
                "[",
                outputs.map(({ name }) => pyString(name)),
                "]",
              ),
              "result",
              "strict=True",
            ]),
          ]);
  // The parser would take what follows a percent sign for its own.
  const isPlain = !`${graph.name}${graph.description}`.includes("%(");
  const body: Doc[] = [
    ["parser = ", call("argparse.ArgumentParser", isPlain ? ["description=__doc__"] : [])],
    call("parser.add_argument", [`"inputs"`, `nargs="?"`, `default="{}"`, `help="a JSON object, or - to read it from standard input"`]),
    "argument = parser.parse_args().inputs",
    `inputs = json.loads(sys.stdin.read() if argument == "-" else argument)`,
  ];
  const lines = body.flatMap((doc) => render(doc, 4).split("\n"));
  const namesIn = `(${required.join(", ")}${required.length === 1 ? "," : ""})`;
  if (required.length > 0) {
    lines.push(
      ...render(["missing = ", comprehension("name", [`for name in ${namesIn}`, "if name not in inputs"])], 4).split("\n"),
      "    if missing:",
      `        parser.error("missing inputs: " + ", ".join(missing))`,
    );
  }
  lines.push(...render(outputs.length === 0 ? run : ["result = ", run], 4).split("\n"));
  lines.push(
    ...render(["outputs = ", printed], 4).split("\n"),
    isTold ? `    ${hook("finish")}(outputs)` : "    print(json.dumps(outputs, ensure_ascii=False, indent=2, default=str))",
  );
  file.sections.push({
    lines: ["def main() -> None:", `    """Read inputs, run the composition and print what comes out."""`, ...lines],
    marks: [],
  });
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function printImports(file: PythonFile): string[] {
  const isOther = (module: string): boolean => !standard.has(module.split(".")[0] ?? "");
  const plain = [...file.imports].filter(([, names]) => names.has("")).map(([module]) => `import ${module}`);
  const from = (wanted: boolean): string[] =>
    [...file.imports]
      .filter(([module]) => isOther(module) === wanted)
      .toSorted(([a], [b]) => compareNames(a, b))
      .flatMap(([module, names]) => {
        const all = [...names].filter((name) => name !== "").toSorted(compareNames);
        return all.length === 0 ? [] : render(printFrom(module, all), 0).split("\n");
      });
  const own = [...plain.toSorted(compareNames), ...from(false)];
  const others = from(true);
  return [...own, ...(own.length > 0 && others.length > 0 ? [""] : []), ...others];
}

function printFrom(module: string, names: readonly string[]): Doc {
  const items = names.flatMap((name, index): Doc[] => (index === 0 ? [name] : [",", { line: " " }, name]));
  return {
    group: [
      `from ${module} import `,
      { broken: "(" },
      { indent: [{ line: "" }, ...items, { broken: "," }] },
      { line: "" },
      { broken: ")" },
    ],
  };
}

const standard = new Set(["argparse", "asyncio", "collections", "json", "subprocess", "sys", "time", "typing", "urllib"]);

function assemble(file: PythonFile, graph: FlowGraph): { source: string; lines: NodeLines[] } {
  const head = docstring([graph.name, graph.description].filter((part) => part.trim() !== "").join("\n\n"), 0);
  const out = [...(head ?? '"""A composition."""').split("\n"), "", ...printImports(file)];
  const lines: NodeLines[] = [];
  let before: "import" | "constant" | "definition" = "import";
  for (const section of file.sections) {
    const first = section.lines[0] ?? "";
    const kind = /^(async def|def|class|@)/.test(first) ? "definition" : "constant";
    out.push("", ...(kind === "definition" || before === "definition" ? [""] : []));
    const start = out.length + 1;
    // A section may hold lines with line ends of their own, in a long text.
    out.push(...section.lines);
    for (const mark of section.marks) lines.push({ path: mark.path, node: mark.node, from: start + mark.from, to: start + mark.to });
    before = kind;
  }
  out.push("", "", `if __name__ == "__main__":`, "    main()", "");
  return { source: out.join("\n"), lines };
}
