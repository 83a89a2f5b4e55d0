import { z } from "zod";

/** A JSON document's object. */
export type JsonObject = Record<string, unknown>;
/** Whether a schema describes what is sent to us or what we answer. */
type Direction = "input" | "output";
type Schemas = Record<string, JsonObject>;

/** The JSON Schema of a zod schema; named parts go to the components. */
export function toSchema(schema: z.ZodType, direction: Direction, schemas: Schemas): JsonObject {
  const {
    $schema: _,
    $defs,
    ...root
  } = z.toJSONSchema(schema, {
    io: direction,
    unrepresentable: "any",
    override: ({ jsonSchema }) => tidy(jsonSchema as JsonObject, direction),
  }) as JsonObject;
  const definitions = { ...(($defs ?? {}) as Record<string, JsonObject>) };
  const rootName = typeof root["id"] === "string" ? root["id"] : undefined;
  if (rootName !== undefined) definitions[rootName] = root;
  const names = componentNames(definitions, direction, schemas);
  for (const [name, definition] of Object.entries(definitions))
    schemas[names.get(name) ?? name] = renameReferences(definition, names) as JsonObject;
  return rootName === undefined ? (renameReferences(root, names) as JsonObject) : { $ref: `#/components/schemas/${names.get(rootName)}` };
}

/** Clients must accept fields that a newer server adds, so answers are open; integers go without their useless default bounds. */
function tidy(schema: JsonObject, direction: Direction): void {
  if (direction === "output" && schema["additionalProperties"] === false) delete schema["additionalProperties"];
  if (schema["minimum"] === Number.MIN_SAFE_INTEGER) delete schema["minimum"];
  if (schema["maximum"] === Number.MAX_SAFE_INTEGER) delete schema["maximum"];
}

/**
 * A schema that differs between request and answer gets two components: `Name` for the answer, `NameRequest` for the request.
 * So does what refers to such a schema.
 */
function componentNames(definitions: Schemas, direction: Direction, schemas: Schemas): Map<string, string> {
  const split = new Set<string>();
  const known = Object.entries(definitions).filter(([name]) => direction === "input" && schemas[name] !== undefined);
  for (const [name, definition] of known) if (shape(schemas[name]) !== shape(definition)) split.add(name);
  for (let before = -1; before !== split.size;) {
    before = split.size;
    for (const [name, definition] of known)
      if ([...split].some((other) => shape(definition).includes(`"#/components/schemas/${other}"`))) split.add(name);
  }
  return new Map(Object.keys(definitions).map((name) => [name, split.has(name) ? `${name}Request` : name]));
}

/** What a schema says, apart from whether it is open to more fields. */
function shape(schema: unknown): string {
  return JSON.stringify(renameReferences(schema, new Map()))
    .replaceAll('"additionalProperties":false,', "")
    .replaceAll(',"additionalProperties":false', "");
}

function renameReferences(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => renameReferences(item, names));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "id" || typeof (value as JsonObject)["id"] !== "string");
  return Object.fromEntries(
    entries.map(([key, item]) => {
      const name = key === "$ref" && typeof item === "string" ? /^#\/\$defs\/(.+)$/.exec(item)?.[1] : undefined;
      return name === undefined ? [key, renameReferences(item, names)] : [key, `#/components/schemas/${names.get(name) ?? name}`];
    }),
  );
}
