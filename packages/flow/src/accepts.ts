import type { FlowType } from "./types.ts";

/** Whether a JSON value is one of a type. What has no JSON is none. */
export function accepts(type: FlowType, value: unknown): boolean {
  switch (type.kind) {
    case "any":
    case "opaque":
      return true;
    case "none":
      return value === null;
    case "text":
      return typeof value === "string";
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    case "literal":
      return value === type.value;
    case "list":
      return Array.isArray(value) && value.every((item) => accepts(type.item, item));
    case "map":
      return isObject(value) && Object.values(value).every((item) => accepts(type.value, item));
    case "record":
      return (
        isObject(value) &&
        type.fields.every((field) => (Object.hasOwn(value, field.name) ? accepts(field.type, value[field.name]) : field.isOptional))
      );
    case "union":
      return type.members.some((member) => accepts(member, value));
    case "context":
      return isObject(value);
    case "model":
      return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
