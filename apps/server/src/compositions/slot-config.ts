import type { AnalysedSlot, SlotArgument } from "@syla/contracts/analysis";
import { flowConfigs, type FlowConfig, type FlowField } from "@syla/contracts/flow-kinds";

/** A slot as a node of a composition has it, or why it cannot be one. */
export type SlotConfig =
  | { readonly config: FlowConfig<"slot">; readonly unusable: null }
  | { readonly config: null; readonly unusable: string };

/** What a node is told of a slot of a program. */
export function slotConfigOf(slot: AnalysedSlot, program: { readonly id: string; readonly version: string | null }): SlotConfig {
  if (!slot.callable) return { config: null, unusable: slot.reason ?? "It cannot be called." };
  if (slot.module === null) return { config: null, unusable: "No import statement can name its file." };
  const { id, version } = program;
  const parsed = flowConfigs.slot.safeParse({
    program: version === null ? { id } : { id, version },
    module: slot.module,
    name: slot.name,
    isAsync: slot.kind === "async",
    inputs: slot.arguments.flatMap(toField),
    returns: slot.returns ?? "Any",
    docstring: (slot.docstring ?? "").slice(0, longestDocstring),
  });
  return parsed.success ? { config: parsed.data, unusable: null } : { config: null, unusable: "Its signature cannot be told to a node." };
}

const longestDocstring = 20_000;

/** What has a default that is no plain value is left to the function itself. */
function toField({ name, kind, type, default: given, required }: SlotArgument): FlowField[] {
  if (kind === "var-positional" || kind === "var-keyword") return [];
  const field = { name, type: type ?? "Any" };
  if (required || given === null) return [field];
  const value = parseLiteral(given);
  return value === undefined ? [] : [{ ...field, default: value }];
}

const words = new Map<string, FlowField["default"]>([
  ["None", null],
  ["True", true],
  ["False", false],
  ["[]", []],
  ["{}", {}],
]);

/** A plain value as Python writes it; undefined for whatever is none. */
function parseLiteral(text: string): FlowField["default"] {
  if (words.has(text)) return words.get(text);
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(text)) return Number(text);
  if (/^"[^"\\\n]*"$|^'[^'\\\n]*'$/.test(text)) return text.slice(1, -1);
  return undefined;
}

/** What is otherwise in a slot than a node has it, in words; null: nothing that matters to its ports and its call. */
export function describeChange(then: FlowConfig<"slot">, now: FlowConfig<"slot">): string | null {
  const old = new Map(then.inputs.map((field) => [field.name, field]));
  const next = new Map(now.inputs.map((field) => [field.name, field]));
  const changes = [
    ...[...next.keys()].filter((name) => !old.has(name)).map((name) => `${name} is new`),
    ...[...old.keys()].filter((name) => !next.has(name)).map((name) => `${name} is gone`),
    ...[...next].flatMap(([name, field]) => {
      const before = old.get(name);
      if (before === undefined) return [];
      if (before.type !== field.type) return [`${name} is ${field.type}, and was ${before.type}`];
      return JSON.stringify(before.default) === JSON.stringify(field.default) ? [] : [`the default of ${name} is another one`];
    }),
    ...(then.returns === now.returns ? [] : [`it returns ${now.returns}, and returned ${then.returns}`]),
    ...(then.isAsync === now.isAsync ? [] : [now.isAsync ? "it is asynchronous now" : "it is not asynchronous any more"]),
  ];
  return changes.length === 0 ? null : changes.slice(0, 5).join("; ");
}
