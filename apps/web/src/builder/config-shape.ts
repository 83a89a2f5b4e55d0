import { flowConfigs, type FlowKind } from "@syla/contracts/flow-kinds";
import { z } from "zod";

/** How a field of a node is edited. */
export type Control =
  | "text"
  | "long"
  | "code"
  | "number"
  | "boolean"
  | "choice"
  | "lines"
  | "fields"
  | "pairs"
  | "numbers"
  | "reference"
  | "json";

/** A field of the form of a node. */
export interface ConfigField {
  readonly name: string;
  readonly label: string;
  readonly control: Control;
  readonly isOptional: boolean;
  /** What it is when nothing is said; undefined: nothing. */
  readonly otherwise: unknown;
  readonly choices: readonly string[];
  /** Of `numbers`: what there is one for. */
  readonly parts: readonly string[];
  readonly help: string;
}

interface Shape {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly anyOf?: readonly Shape[];
  readonly required?: readonly string[];
  readonly maxLength?: number;
  readonly description?: string;
  readonly default?: unknown;
}

/** A text that may be longer is edited in several lines. */
const shortText = 2000;
/** Is drawn, not filled in. */
const unshown = new Set(["frame"]);

function controlOf(name: string, shape: Shape): Control {
  const some = shape.anyOf?.filter(({ type }) => type !== "null");
  if (some?.length === 1 && some[0] !== undefined) return controlOf(name, some[0]);
  if (shape.enum !== undefined) return "choice";
  if (name === "source" || name === "prompt") return "code";
  if (shape.type === "string") return (shape.maxLength ?? 0) > shortText && name !== "url" ? "long" : "text";
  if (shape.type === "integer" || shape.type === "number") return "number";
  if (shape.type === "boolean") return "boolean";
  if (shape.type === "array") return shape.items?.type === "string" ? "lines" : shape.items?.properties === undefined ? "json" : "fields";
  if (shape.properties !== undefined && "id" in shape.properties) return "reference";
  if (shape.properties !== undefined) return "numbers";
  return typeof shape.additionalProperties === "object" && shape.additionalProperties.type === "string" ? "pairs" : "json";
}

/** `allowedHosts` as people write it. */
function labelOf(name: string): string {
  const words = name.replaceAll(/([A-Z])/g, " $1").toLowerCase();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`.replace(" id", " id").replace("Json", "JSON");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** What is said of a field of JSON, as it is said of a field of a form. */
function helpOf({ description = "" }: Shape): string {
  return sentence(description.replaceAll(/\bnull:/g, "empty:"));
}

const known = new Map<FlowKind, readonly ConfigField[]>();

/** The form of a kind of node, told from the shape of its configuration. */
export function configFields(kind: FlowKind): readonly ConfigField[] {
  const before = known.get(kind);
  if (before !== undefined) return before;
  const shape = z.toJSONSchema(flowConfigs[kind], { io: "input", unrepresentable: "any" }) as Shape;
  const fields = Object.entries(shape.properties ?? {})
    .filter(([name]) => !unshown.has(name))
    .map(([name, of]): ConfigField => ({
      name,
      label: labelOf(name),
      control: controlOf(name, of),
      isOptional: shape.required?.includes(name) !== true,
      otherwise: of.default,
      choices: of.enum ?? [],
      parts: Object.keys(of.properties ?? {}),
      help: helpOf(of),
    }));
  known.set(kind, fields);
  return fields;
}
