import type { FlowNode, FlowNodeOf } from "@syla/contracts/flow";
import type { FlowField } from "@syla/contracts/flow-kinds";
import { Names, toSnakeCase } from "../names.ts";
import { sortedJson } from "../canonical.ts";
import { parseType } from "../type-parser.ts";
import { model, strategy, type FlowType } from "../types.ts";
import { annotationOf, fullAnnotationOf } from "./annotations.ts";
import { call, collection, render, type Doc } from "./doc.ts";
import type { PythonFile } from "./file.ts";
import { useProvided } from "./provided-functions.ts";
import { docstring, pyDict, pyLiteral, pyLongString, pyString } from "./strings.ts";
import { indentPython, normalizeSource } from "./user-code.ts";

/** How a node is called: the name of its function, and what its parameters are called. */
export interface NodeFunction {
  name: string;
  /** By the name of the port. What is not there cannot be passed. */
  parameters: ReadonlyMap<string, string>;
  /** Whether the call is a coroutine; else it blocks. */
  isAsync: boolean;
  /** The first arguments, which have no name. */
  positional: readonly string[];
  /** Arguments besides those of the ports. */
  extra: readonly Doc[];
}

interface Parameter {
  port: string;
  name: string;
  type: FlowType;
}

/** What a function is called after: the node's label, or else its kind. */
export function titleOf(node: FlowNode): string {
  return node.label.trim() === "" ? node.kind : node.label;
}

/** The head of a function: name, parameters with types, result. */
export function defineFunction(
  file: PythonFile,
  head: { name: string; parameters: readonly (Parameter & { default?: string })[]; returns: FlowType | string; isAsync: boolean },
): string[] {
  const parameters = head.parameters.map(
    ({ name, type, default: otherwise }): Doc =>
      `${name}: ${file.annotate(annotationOf(type))}${otherwise === undefined ? "" : ` = ${otherwise}`}`,
  );
  const returns = typeof head.returns === "string" ? head.returns : file.annotate(annotationOf(head.returns));
  const start = `${head.isAsync ? "async " : ""}def ${head.name}`;
  // A single parameter that is laid out below gets a comma in any case.
  const doc: Doc = [parameters.length === 1 ? collection(`${start}(`, parameters, ")") : call(start, parameters), ` -> ${returns}:`];
  return render(doc, 0).split("\n");
}

/** Lines of a function's body. */
export function statements(...docs: Doc[]): string[] {
  return docs.flatMap((doc) => render(doc, 4).split("\n"));
}

export function docstringLines(text: string): string[] {
  const written = docstring(text, 4);
  return written === undefined ? [] : `    ${written}`.split("\n");
}

function parametersOf(file: PythonFile, fields: readonly FlowField[], exact: boolean): Parameter[] {
  const names = new Names(file.names);
  return fields.map((field) => ({
    port: field.name,
    name: exact ? field.name : names.take(toSnakeCase(field.name, "value")),
    type: parseType(field.type),
  }));
}

function add(file: PythonFile, node: FlowNode, path: readonly string[], lines: string[]): void {
  file.sections.push({ lines, marks: [{ path, node: node.id, from: 0, to: lines.length - 1 }] });
}

function byPort(parameters: readonly Parameter[]): Map<string, string> {
  return new Map(parameters.map(({ port, name }) => [port, name]));
}

/** The strategy with which requirements are enforced. */
export function samplerOf(
  file: PythonFile,
  config: { strategy: "rejection" | "repair" | "multi_turn" | "majority"; loopBudget: number; samples: number },
): Doc {
  const name = {
    rejection: "RejectionSamplingStrategy",
    repair: "RepairTemplateStrategy",
    multi_turn: "MultiTurnStrategy",
    majority: "MBRDRougeLStrategy",
  }[config.strategy];
  file.use("mellea.stdlib.sampling", name);
  const samples = config.strategy === "majority" ? [`number_of_samples=${config.samples}`] : [];
  return call(name, [...samples, `loop_budget=${config.loopBudget}`]);
}

function strategyOf(file: PythonFile, config: { requirements: readonly string[]; loopBudget: number }, hasSampler: boolean): Doc {
  if (hasSampler) return "strategy";
  return config.requirements.length === 0 ? "None" : samplerOf(file, { strategy: "rejection", loopBudget: config.loopBudget, samples: 1 });
}

function requirementsOf(requirements: readonly string[]): Doc[] {
  return requirements.length === 0 ? [] : [["requirements=", collection("[", requirements.map(pyString), "]")]];
}

const sessionParameter: Parameter = { port: "model", name: "session", type: model };
const strategyParameter: Parameter = { port: "strategy", name: "strategy", type: strategy };

function asText(field: Parameter): string {
  if (field.type.kind === "text") return field.name;
  return `str(${field.name})`;
}

/** A constant of the file for a text of several lines; a short one stays where it is used. */
function textOf(file: PythonFile, text: string, title: string): Doc {
  if (!text.includes("\n")) return pyString(text);
  const name = file.names.take(`${title.toUpperCase()}_TEXT`);
  file.sections.push({ lines: `${name} = ${pyLongString(text)}`.split("\n"), marks: [] });
  return name;
}

function defineInstruct(
  file: PythonFile,
  node: FlowNodeOf<"instruct">,
  path: readonly string[],
  mode: { isAsync: boolean; hasSampler: boolean },
): NodeFunction {
  const title = toSnakeCase(titleOf(node), "instruct");
  const name = file.names.take(title);
  const inner = new Names(file.names, ["session", "strategy"]);
  const fields = node.config.inputs.map((field) => ({
    port: field.name,
    name: inner.take(toSnakeCase(field.name, "value")),
    type: parseType(field.type),
  }));
  const returns = parseType(node.config.returns);
  const isText = returns.kind === "text" || returns.kind === "any";
  const answer = isText ? "" : defineAnswer(file, node, returns);
  const prompt = textOf(file, node.config.prompt, name);
  const variables = fields.length === 0 ? [] : [["user_variables=", pyDict(fields.map((field) => [field.port, asText(field)]))]];
  const chosen = strategyOf(file, node.config, mode.hasSampler);
  const request = call(`${mode.isAsync ? "await " : ""}session.${mode.isAsync ? "ainstruct" : "instruct"}`, [
    prompt,
    ...variables,
    ...requirementsOf(node.config.requirements),
    ["strategy=", chosen],
    ...(isText ? [] : [`format=${answer}`]),
    ...(mode.isAsync && chosen === "None" ? ["await_result=True"] : []),
  ]);
  const parameters = [sessionParameter, ...(mode.hasSampler ? [strategyParameter] : []), ...fields];
  add(file, node, path, [
    ...defineFunction(file, { name, parameters, returns: isText ? { kind: "text" } : returns, isAsync: mode.isAsync }),
    ...docstringLines(titleOf(node)),
    ...statements(["result = ", request], isText ? "return str(result)" : `return ${answer}.model_validate_json(str(result)).value`),
  ]);
  return { name, parameters: byPort(parameters), isAsync: mode.isAsync, positional: [], extra: [] };
}

/** A class that tells the model, and checks, what the answer looks like. */
function defineAnswer(file: PythonFile, node: FlowNode, returns: FlowType): string {
  const words = toSnakeCase(titleOf(node), node.kind).split("_");
  const name = file.names.take(
    `${words
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join("")
      .slice(0, 30)}Answer`,
  );
  file.use("pydantic", "BaseModel");
  const type = file.annotate(fullAnnotationOf(returns));
  file.sections.push({ lines: [`class ${name}(BaseModel):`, `    value: ${type}`], marks: [] });
  return name;
}

function defineSlot(
  file: PythonFile,
  node: FlowNodeOf<"slot">,
  path: readonly string[],
  mode: { isAsync: boolean; hasSampler: boolean },
): NodeFunction {
  const { config } = node;
  const parameters = config.inputs.map((field) => ({ port: field.name, name: field.name, type: parseType(field.type) }));
  const isAsync = config.module === null ? mode.isAsync : config.isAsync;
  const known = sortedJson([
    config.module,
    config.name,
    config.module === null ? [config.inputs.map((field) => [field.name, field.type]), config.returns, config.docstring] : [],
  ]);
  let name = file.slots.get(known);
  if (name === undefined) {
    name = file.names.take(config.name);
    file.slots.set(known, name);
    if (config.module !== null) file.use(config.module, name === config.name ? name : `${config.name} as ${name}`);
    else {
      file.use("mellea.stdlib.components.genstub", "generative");
      const returns = file.annotate(fullAnnotationOf(parseType(config.returns)));
      const head = defineFunction(file, { name, parameters, returns, isAsync });
      const body = docstringLines(config.docstring);
      add(file, node, path, [
        "@generative",
        ...(body.length === 0 ? [...head.slice(0, -1), `${head.at(-1) ?? ""} ...`] : [...head, ...body]),
      ]);
    }
  }
  const extra: Doc[] = [
    ...requirementsOf(config.requirements),
    ...(mode.hasSampler ? [] : [["strategy=", strategyOf(file, config, false)]]),
  ];
  const all = [...byPort(parameters), ...(mode.hasSampler ? [["strategy", "strategy"] as const] : [])];
  return { name, parameters: new Map(all), isAsync, positional: ["model"], extra };
}

function defineVerifier(file: PythonFile, node: FlowNodeOf<"verifier">, path: readonly string[], mode: { isAsync: boolean }): NodeFunction {
  const name = file.names.take(toSnakeCase(titleOf(node), "verifier"));
  for (const [module, imported] of [
    ["mellea.core", "ModelOutputThunk"],
    ["mellea.stdlib.requirements", "req"],
  ] as const)
    file.use(module, imported);
  const parameters: Parameter[] = [sessionParameter, { port: "value", name: "value", type: { kind: "any" } }];
  const request = call(`${mode.isAsync ? "await " : ""}session.${mode.isAsync ? "avalidate" : "validate"}`, [
    call("req", [textOf(file, node.config.text, name)]),
    "output=ModelOutputThunk(value=str(value))",
  ]);
  add(file, node, path, [
    ...defineFunction(file, { name, parameters, returns: { kind: "boolean" }, isAsync: mode.isAsync }),
    ...docstringLines(titleOf(node)),
    ...statements(["results = ", request], "return all(result.as_bool() for result in results)"),
  ]);
  return { name, parameters: byPort(parameters), isAsync: mode.isAsync, positional: [], extra: [] };
}

function defineCode(file: PythonFile, node: FlowNodeOf<"code">, path: readonly string[]): NodeFunction {
  const name = file.names.take(toSnakeCase(titleOf(node), "code"));
  const isPython = node.config.language === "python";
  const parameters = parametersOf(file, node.config.inputs, isPython);
  const head = [
    ...defineFunction(file, { name, parameters, returns: parseType(node.config.returns), isAsync: false }),
    ...docstringLines(titleOf(node)),
  ];
  if (isPython) add(file, node, path, [...head, ...indentPython(node.config.source)]);
  else {
    useProvided(file, "run_json");
    const script = textOf(file, javaScriptOf(node.config), name);
    const values = pyDict(parameters.map(({ port, name: variable }) => [port, variable]));
    add(file, node, path, [...head, ...statements(["return ", call("run_json", [`["node", "-e", ${render(script, 0)}]`, values])])]);
  }
  return { name, parameters: byPort(parameters), isAsync: false, positional: [], extra: [] };
}

function javaScriptOf(config: FlowNodeOf<"code">["config"]): string {
  const names = config.inputs.map((field) => field.name).join(", ");
  return [
    "// What is printed must not get between the result.",
    "console.log = console.info = console.debug = console.error;",
    `const run = async ({ ${names} }) => {`,
    normalizeSource(config.source).trimEnd(),
    "};",
    'run(JSON.parse(require("node:fs").readFileSync(0, "utf8"))).then((result) => {',
    "  process.stdout.write(JSON.stringify(result ?? null));",
    "});",
    "",
  ].join("\n");
}

function defineProgram(file: PythonFile, node: FlowNodeOf<"program">, path: readonly string[], isTold: boolean): NodeFunction {
  const folderOf = isTold ? node.config.program?.id : undefined;
  if (folderOf === undefined) useProvided(file, "run_json");
  const name = file.names.take(toSnakeCase(titleOf(node), "program"));
  const parameters = parametersOf(file, node.config.inputs, false);
  const values = pyDict(parameters.map(({ port, name: variable }) => [port, variable]));
  add(file, node, path, [
    ...defineFunction(file, { name, parameters, returns: parseType(node.config.returns), isAsync: false }),
    ...docstringLines(titleOf(node)),
    ...statements([
      "return ",
      call(folderOf === undefined ? "run_json" : "syla_hooks.run_json", [
        collection("[", node.config.command.map(pyString), "]"),
        values,
        ...(folderOf === undefined ? [] : [pyString(folderOf)]),
      ]),
    ]),
  ]);
  return { name, parameters: byPort(parameters), isAsync: false, positional: [], extra: [] };
}

function defineHttp(file: PythonFile, node: FlowNodeOf<"http">, path: readonly string[]): NodeFunction {
  useProvided(file, "fetch");
  const name = file.names.take(toSnakeCase(titleOf(node), "request"));
  const { method, url, headers, allowedHosts, timeoutSeconds } = node.config;
  const parameters: Parameter[] = [
    { port: "query", name: "query", type: parseType("dict[str, Any] | None") },
    { port: "body", name: "body", type: { kind: "any" } },
  ];
  add(file, node, path, [
    ...defineFunction(file, { name, parameters, returns: "tuple[str, int]", isAsync: false }),
    ...docstringLines(titleOf(node)),
    ...statements([
      "return ",
      call("fetch", [
        pyString(method),
        pyString(url),
        "query=query",
        "body=body",
        ["headers=", pyLiteral(headers)],
        ["allowed_hosts=", pyLiteral(allowedHosts.map((host) => host.toLowerCase()))],
        `timeout=${timeoutSeconds}`,
      ]),
    ]),
  ]);
  return { name, parameters: byPort(parameters), isAsync: false, positional: [], extra: [] };
}

/** Writes the function of a node into the file; undefined for nodes that are a line of the graph's own function. */
export function defineNode(
  file: PythonFile,
  node: FlowNode,
  path: readonly string[],
  mode: { isAsync: boolean; hasSampler: boolean; isTold: boolean },
): NodeFunction | undefined {
  switch (node.kind) {
    case "instruct":
      return defineInstruct(file, node, path, mode);
    case "slot":
      return defineSlot(file, node, path, mode);
    case "verifier":
      return node.config.rule === "requirement" ? defineVerifier(file, node, path, mode) : undefined;
    case "code":
      return defineCode(file, node, path);
    case "program":
      return defineProgram(file, node, path, mode.isTold);
    case "http":
      return defineHttp(file, node, path);
    default:
      return undefined;
  }
}
