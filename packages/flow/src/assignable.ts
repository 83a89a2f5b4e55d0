import { printType, type FlowType, type RecordField } from "./types.ts";

/** Why a value of one type may not go where another is wanted; undefined when it may. */
export function refusalOf(from: FlowType, to: FlowType): string | undefined {
  if (from.kind === "any" || to.kind === "any") return undefined;
  if (from.kind === "union") return refusalOfUnion(from.members, to);
  if (to.kind === "union") {
    if (to.members.some((member) => refusalOf(from, member) === undefined)) return undefined;
    return `${printType(from)} is none of ${printType(to)}`;
  }
  if (from.kind === "literal") return refusalOfLiteral(from.value, to);
  if (from.kind === "list" && to.kind === "list") return inside("items", refusalOf(from.item, to.item));
  if (from.kind === "map" && to.kind === "map") {
    return inside("keys", refusalOf(from.key, to.key)) ?? inside("values", refusalOf(from.value, to.value));
  }
  if (from.kind === "record" && to.kind === "record") return refusalOfRecord(from.fields, to.fields);
  if (from.kind === "record" && to.kind === "map") {
    const key = refusalOf({ kind: "text" }, to.key);
    return inside("keys", key) ?? firstOf(from.fields, ({ name, type }) => inside(`field ${name}`, refusalOf(type, to.value)));
  }
  if (from.kind === "integer" && to.kind === "number") return undefined;
  if (from.kind === "boolean" && (to.kind === "integer" || to.kind === "number")) {
    return `bool is no ${printType(to)}: a truth value would be counted as 0 or 1`;
  }
  if (from.kind === "number" && to.kind === "integer") return "float is no int: it may have a fraction";
  if (from.kind === "none" && to.kind !== "none") return `None is no ${printType(to)}: the value may be missing`;
  return printType(from) === printType(to) && from.kind === to.kind ? undefined : `${printType(from)} is no ${printType(to)}`;
}

function inside(place: string, reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : `${place}: ${reason}`;
}

function firstOf<Item>(items: readonly Item[], find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const reason = find(item);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function refusalOfUnion(members: readonly FlowType[], to: FlowType): string | undefined {
  return firstOf(members, (member) => refusalOf(member, to));
}

function refusalOfLiteral(value: string | number | boolean, to: FlowType): string | undefined {
  const written = printType({ kind: "literal", value });
  if (to.kind === "literal") return value === to.value ? undefined : `${written} is no ${printType(to)}`;
  if (typeof value === "string") return refusalOf({ kind: "text" }, to);
  if (typeof value === "boolean") return refusalOf({ kind: "boolean" }, to);
  return refusalOf({ kind: Number.isInteger(value) ? "integer" : "number" }, to);
}

function refusalOfRecord(from: readonly RecordField[], to: readonly RecordField[]): string | undefined {
  const given = new Map(from.map((field) => [field.name, field]));
  return firstOf(to, (wanted) => {
    const field = given.get(wanted.name);
    if (field === undefined) return wanted.isOptional ? undefined : `field ${wanted.name} is missing`;
    if (field.isOptional && !wanted.isOptional) return `field ${wanted.name} may be missing`;
    return inside(`field ${wanted.name}`, refusalOf(field.type, wanted.type));
  });
}
