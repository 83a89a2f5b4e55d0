import { z } from "zod";
import {
  filePart,
  given,
  parseArguments,
  ToolNames,
  type AssistantPart,
  type Message,
  type NeutralCall,
  type Schema,
  type UserPart,
} from "./call.ts";

const Part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  image_url: z.union([z.string(), z.looseObject({ url: z.string() })]).optional(),
  input_audio: z.looseObject({ data: z.string(), format: z.string() }).optional(),
  file: z.looseObject({ file_data: z.string().optional(), filename: z.string().optional() }).optional(),
  refusal: z.string().optional(),
});
const Content = z.union([z.string(), z.array(Part)]).nullish();
const ToolCall = z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string(), arguments: z.string() }) });
const ChatMessage = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: Content,
  tool_calls: z.array(ToolCall).nullish(),
  tool_call_id: z.string().nullish(),
});
const number = z.number().nullish();
const ChatRequest = z.looseObject({
  messages: z.array(ChatMessage).min(1),
  temperature: number,
  top_p: number,
  max_tokens: number,
  max_completion_tokens: number,
  presence_penalty: number,
  frequency_penalty: number,
  seed: number,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  n: z.literal(1, { error: "only one answer can be had from this provider" }).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal("function", { error: "only functions can be had from this provider" }),
        function: z.looseObject({
          name: z.string(),
          description: z.string().nullish(),
          parameters: z.record(z.string(), z.unknown()).nullish(),
          strict: z.boolean().nullish(),
        }),
      }),
    )
    .nullish(),
  tool_choice: z.union([z.enum(["auto", "none", "required"]), z.looseObject({ function: z.looseObject({ name: z.string() }) })]).nullish(),
  response_format: z
    .looseObject({
      type: z.enum(["text", "json_object", "json_schema"]),
      json_schema: z
        .looseObject({
          name: z.string().optional(),
          description: z.string().optional(),
          schema: z.record(z.string(), z.unknown()).optional(),
        })
        .optional(),
    })
    .nullish(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish(),
});

/** A chat completion of OpenAI. @throws ZodError */
export function fromOpenaiChat(body: unknown): NeutralCall {
  const request = ChatRequest.parse(body);
  const names = new ToolNames();
  const { response_format: format, tool_choice: choice } = request;
  return {
    prompt: request.messages.map((message) => toMessage(message, names)),
    ...given({
      temperature: request.temperature,
      topP: request.top_p,
      maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
      presencePenalty: request.presence_penalty,
      frequencyPenalty: request.frequency_penalty,
      seed: request.seed,
      stopSequences: typeof request.stop === "string" ? [request.stop] : request.stop,
      reasoning: request.reasoning_effort,
      tools: request.tools?.map(({ function: tool }) => ({
        type: "function" as const,
        name: tool.name,
        inputSchema: (tool.parameters ?? { type: "object", properties: {} }) as Schema,
        ...given({ description: tool.description, strict: tool.strict }),
      })),
      toolChoice:
        choice == null
          ? undefined
          : typeof choice === "string"
            ? { type: choice }
            : { type: "tool" as const, toolName: choice.function.name },
      responseFormat:
        format == null || format.type === "text"
          ? undefined
          : {
              type: "json" as const,
              ...given({
                schema: format.json_schema?.schema as Schema,
                name: format.json_schema?.name,
                description: format.json_schema?.description,
              }),
            },
    }),
  } as NeutralCall;
}

function toMessage(message: z.infer<typeof ChatMessage>, names: ToolNames): Message {
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content: textOf(message.content) };
    case "user":
      return { role: "user", content: partsOf(message.content) };
    case "assistant": {
      const text = textOf(message.content);
      const calls = (message.tool_calls ?? []).map((call): AssistantPart => {
        names.note(call.id, call.function.name);
        return { type: "tool-call", toolCallId: call.id, toolName: call.function.name, input: parseArguments(call.function.arguments) };
      });
      return { role: "assistant", content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...calls] };
    }
    default: {
      const toolCallId = message.tool_call_id ?? "";
      const output = { type: "text" as const, value: textOf(message.content) };
      return { role: "tool", content: [{ type: "tool-result", toolCallId, toolName: names.nameOf(toolCallId), output }] };
    }
  }
}

function textOf(content: z.infer<typeof Content>): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? part.refusal ?? "").join("");
}

function partsOf(content: z.infer<typeof Content>): UserPart[] {
  if (content == null || typeof content === "string") return [{ type: "text", text: content ?? "" }];
  return content.map((part): UserPart => {
    const image = part.image_url;
    if (image !== undefined) return filePart(typeof image === "string" ? image : image.url);
    if (part.input_audio !== undefined)
      return { type: "file", mediaType: `audio/${part.input_audio.format}`, data: { type: "data", data: part.input_audio.data } };
    if (part.file?.file_data !== undefined) return filePart(part.file.file_data, "application/pdf");
    return { type: "text", text: part.text ?? "" };
  });
}
