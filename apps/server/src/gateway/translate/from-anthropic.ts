import { z } from "zod";
import {
  filePart,
  given,
  ToolNames,
  type AssistantPart,
  type Message,
  type NeutralCall,
  type Schema,
  type ToolPart,
  type UserPart,
} from "./call.ts";

const Source = z.looseObject({
  type: z.string(),
  media_type: z.string().optional(),
  data: z.string().optional(),
  url: z.string().optional(),
});
const TextBlock = z.looseObject({ type: z.string(), text: z.string().optional(), source: Source.optional() });
const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  source: Source.optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().optional(),
  content: z.union([z.string(), z.array(TextBlock)]).optional(),
});
type Block = z.infer<typeof Block>;
const number = z.number().nullish();
const MessagesRequest = z.looseObject({
  messages: z.array(z.looseObject({ role: z.enum(["user", "assistant"]), content: z.union([z.string(), z.array(Block)]) })).min(1),
  system: z.union([z.string(), z.array(TextBlock)]).nullish(),
  max_tokens: number,
  temperature: number,
  top_p: number,
  top_k: number,
  stop_sequences: z.array(z.string()).nullish(),
  tools: z
    .array(
      z.looseObject({
        name: z.string(),
        type: z.literal("custom", { error: "only tools of your own can be had from this provider" }).nullish(),
        description: z.string().nullish(),
        input_schema: z.record(z.string(), z.unknown()),
      }),
    )
    .nullish(),
  tool_choice: z.looseObject({ type: z.enum(["auto", "any", "tool", "none"]), name: z.string().optional() }).nullish(),
  output_config: z.looseObject({ format: z.looseObject({ schema: z.record(z.string(), z.unknown()).optional() }).nullish() }).nullish(),
});

/** A message of Anthropic. @throws ZodError */
export function fromAnthropic(body: unknown): NeutralCall {
  const request = MessagesRequest.parse(body);
  const names = new ToolNames();
  const system = typeof request.system === "string" ? request.system : (request.system ?? []).map(({ text }) => text ?? "").join("\n");
  const choice = request.tool_choice;
  const schema = request.output_config?.format?.schema;
  return {
    prompt: [
      ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
      ...request.messages.flatMap(({ role, content }) => {
        const blocks: Block[] = typeof content === "string" ? [{ type: "text", text: content, input: undefined }] : content;
        return role === "assistant" ? [fromAssistant(blocks, names)] : fromUser(blocks, names);
      }),
    ],
    ...given({
      maxOutputTokens: request.max_tokens,
      temperature: request.temperature,
      topP: request.top_p,
      topK: request.top_k,
      stopSequences: request.stop_sequences,
      tools: request.tools?.map((tool) => ({
        type: "function" as const,
        name: tool.name,
        inputSchema: tool.input_schema as Schema,
        ...given({ description: tool.description }),
      })),
      toolChoice:
        choice == null
          ? undefined
          : choice.type === "tool"
            ? { type: "tool" as const, toolName: choice.name ?? "" }
            : { type: choice.type === "any" ? ("required" as const) : choice.type },
      responseFormat: schema === undefined ? undefined : { type: "json" as const, schema: schema as Schema },
    }),
  } as NeutralCall;
}

function fromAssistant(blocks: readonly Block[], names: ToolNames): Message {
  const content = blocks.flatMap((block): AssistantPart[] => {
    if (block.type === "text") return [{ type: "text", text: block.text ?? "" }];
    if (block.type !== "tool_use" || block.id === undefined || block.name === undefined) return []; // thoughts of another provider
    names.note(block.id, block.name);
    return [{ type: "tool-call", toolCallId: block.id, toolName: block.name, input: block.input ?? {} }];
  });
  return { role: "assistant", content };
}

/** Results of tools stand in the user's turn there, and in a turn of their own here. */
function fromUser(blocks: readonly Block[], names: ToolNames): Message[] {
  const results = blocks
    .filter(({ type }) => type === "tool_result")
    .map((block): ToolPart => {
      const toolCallId = block.tool_use_id ?? "";
      const value = typeof block.content === "string" ? block.content : (block.content ?? []).map(({ text }) => text ?? "").join("");
      const output = { type: block.is_error === true ? ("error-text" as const) : ("text" as const), value };
      return { type: "tool-result", toolCallId, toolName: names.nameOf(toolCallId), output };
    });
  const rest = blocks.filter(({ type }) => type !== "tool_result").map(toUserPart);
  return [
    ...(results.length === 0 ? [] : [{ role: "tool" as const, content: results }]),
    ...(rest.length === 0 ? [] : [{ role: "user" as const, content: rest }]),
  ];
}

function toUserPart({ source, text }: Block): UserPart {
  if (source?.url !== undefined) return filePart(source.url, source.media_type);
  if (source?.type === "text") return { type: "text", text: source.data ?? "" };
  if (source?.data !== undefined)
    return { type: "file", mediaType: source.media_type ?? "image/*", data: { type: "data", data: source.data } };
  return { type: "text", text: text ?? "" };
}
