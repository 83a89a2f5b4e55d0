/** A request as far as the stand-in reads it. */
export interface RequestBody {
  readonly model?: string;
  readonly model_id?: string;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly messages?: readonly { readonly role: string; readonly content?: unknown }[];
  readonly input?: unknown;
  readonly prompt?: unknown;
  readonly tools?: readonly unknown[];
  readonly tool_choice?: unknown;
  readonly response_format?: { readonly type?: string; readonly json_schema?: { readonly schema?: Schema } };
  readonly text?: { readonly format?: { readonly schema?: Schema } };
  readonly output_config?: { readonly format?: { readonly schema?: Schema } };
  readonly output_format?: { readonly schema?: Schema };
  readonly format?: unknown;
  readonly max_tokens?: number;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** What is answered, in no protocol. */
export interface Reply {
  text: string;
  readonly call: { readonly id: string; readonly name: string; readonly arguments: string } | null;
  usage: { readonly input: number; readonly output: number; readonly cached: number; readonly reasoning: number } | null;
}

/** The same for the same request: what was said last, said back; a value of the schema; or a call of the first tool. */
export function replyTo(body: RequestBody): Reply {
  const asked = lastText(body);
  const schema = schemaOf(body);
  const answered = body.messages?.at(-1)?.role === "tool" || JSON.stringify(body.messages?.at(-1)?.content ?? "").includes("tool_result");
  const tool = answered || body.tool_choice === "none" ? undefined : toolOf(body);
  const text = tool !== undefined ? "" : schema !== undefined ? JSON.stringify(sampleOf(schema, schema)) : `You said: ${asked}`;
  const call = tool === undefined ? null : { id: "call_1", name: tool.name, arguments: JSON.stringify(sampleOf(tool.schema, tool.schema)) };
  const input = Math.max(1, Math.ceil(JSON.stringify(body.messages ?? body.input ?? body.prompt ?? "").length / 4));
  const output = Math.max(1, Math.ceil((text.length + (call?.arguments.length ?? 0)) / 4));
  return { text, call, usage: { input, output, cached: 0, reasoning: 0 } };
}

/** In pieces of a few characters. */
export function piecesOf(text: string): string[] {
  return text.match(/[\s\S]{1,8}/g) ?? [];
}

function lastText(body: RequestBody): string {
  const last = body.messages?.at(-1)?.content ?? body.input ?? body.prompt ?? "";
  return textIn(last);
}

function textIn(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return textIn(value.findLast((part) => textIn(part) !== "") ?? "");
  if (typeof value !== "object" || value === null) return "";
  const { text, content } = value as { text?: unknown; content?: unknown };
  return textIn(text ?? content ?? "");
}

function schemaOf(body: RequestBody): Schema | undefined {
  const format = typeof body.format === "object" ? (body.format as Schema) : body.format === "json" ? {} : undefined;
  const json = body.response_format?.type === "json_object" ? {} : undefined;
  const named = body.response_format?.json_schema?.schema ?? body.text?.format?.schema;
  return named ?? body.output_config?.format?.schema ?? body.output_format?.schema ?? format ?? json;
}

function toolOf({ tools }: RequestBody): { name: string; schema: Schema } | undefined {
  const [first] = tools ?? [];
  if (first === undefined) return undefined;
  const tool = first as { name?: string; parameters?: Schema; input_schema?: Schema; function?: { name: string; parameters?: Schema } };
  const name = tool.function?.name ?? tool.name;
  return name === undefined ? undefined : { name, schema: tool.function?.parameters ?? tool.parameters ?? tool.input_schema ?? {} };
}

/** A value that fits a schema. */
function sampleOf(schema: Schema, root: Schema): unknown {
  if (schema.$ref !== undefined) return sampleOf(root.$defs?.[schema.$ref.split("/").at(-1) ?? ""] ?? {}, root);
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf?.[0] !== undefined) return sampleOf(schema.anyOf[0], root);
  const type = Array.isArray(schema.type) ? (schema.type as string[])[0] : schema.type;
  switch (type) {
    case "string":
      return "text";
    case "integer":
    case "number":
      return 7;
    case "boolean":
      return true;
    case "array":
      return schema.items === undefined ? [] : [sampleOf(schema.items, root)];
    case "null":
      return null;
    default:
      return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, member]) => [name, sampleOf(member, root)]));
  }
}

/** A vector that depends on the text. */
export function vectorOf(text: string): number[] {
  return [text.length / 100, (text.codePointAt(0) ?? 0) / 1000, 0.5];
}
