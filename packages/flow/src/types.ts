/** What a port takes or gives. Written as Python annotations; see `type-parser.ts`. */
export type FlowType =
  | { kind: "any" | "none" | "text" | "integer" | "number" | "boolean" | "model" | "context" }
  | { kind: "literal"; value: string | number | boolean }
  | { kind: "list"; item: FlowType }
  | { kind: "map"; key: FlowType; value: FlowType }
  | { kind: "record"; fields: readonly RecordField[] }
  | { kind: "union"; members: readonly FlowType[] }
  | { kind: "opaque"; name: string };

/** One field of a record. */
export interface RecordField {
  name: string;
  type: FlowType;
  isOptional: boolean;
}

export const any: FlowType = { kind: "any" };
export const none: FlowType = { kind: "none" };
export const text: FlowType = { kind: "text" };
export const integer: FlowType = { kind: "integer" };
export const number: FlowType = { kind: "number" };
export const boolean: FlowType = { kind: "boolean" };
export const model: FlowType = { kind: "model" };
export const context: FlowType = { kind: "context" };
/** How an instruction is sampled, checked and repaired. */
export const strategy: FlowType = { kind: "opaque", name: "SamplingStrategy" };

/** Whether it exists only inside a composition: no JSON stands for it. */
export function isInner(type: FlowType): boolean {
  if (type.kind === "union") return type.members.some(isInner);
  return type.kind === "model" || type.kind === "context" || (type.kind === "opaque" && type.name === "SamplingStrategy");
}

export function listOf(item: FlowType): FlowType {
  return { kind: "list", item };
}

/** One type for what may be any of several: flat, without repetition; a single member is itself. */
export function unionOf(types: readonly FlowType[]): FlowType {
  const flat = types.flatMap((type) => (type.kind === "union" ? type.members : [type]));
  if (flat.some(({ kind }) => kind === "any")) return any;
  const members = [...new Map(flat.map((type) => [printType(type), type])).values()];
  const [first] = members;
  return first === undefined ? none : members.length === 1 ? first : { kind: "union", members };
}

export function optional(type: FlowType): FlowType {
  return unionOf([type, none]);
}

const names = {
  any: "Any",
  none: "None",
  text: "str",
  integer: "int",
  number: "float",
  boolean: "bool",
  model: "MelleaSession",
  context: "Context",
} as const;

function printLiteral(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  return JSON.stringify(value);
}

function printUnion(members: readonly FlowType[]): string {
  const literals = members.filter((member) => member.kind === "literal");
  const others = members.filter((member) => member.kind !== "literal").map(printType);
  if (literals.length === 0) return others.join(" | ");
  return [`Literal[${literals.map(({ value }) => printLiteral(value)).join(", ")}]`, ...others].join(" | ");
}

/** The annotation of a type; the parser reads it back. */
export function printType(type: FlowType): string {
  switch (type.kind) {
    case "literal":
      return `Literal[${printLiteral(type.value)}]`;
    case "list":
      return `list[${printType(type.item)}]`;
    case "map":
      return `dict[${printType(type.key)}, ${printType(type.value)}]`;
    case "record":
      return `{${type.fields.map(({ name, type: of, isOptional }) => `${printField(name)}${isOptional ? "?" : ""}: ${printType(of)}`).join(", ")}}`;
    case "union":
      return printUnion(type.members);
    case "opaque":
      return type.name;
    default:
      return names[type.kind];
  }
}

function printField(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}
