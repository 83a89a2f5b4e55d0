import { z } from "zod";
import { given, ToolNames, type Message, type NeutralCall, type Schema, type UserPart } from "./call.ts";

const Options = z
  .looseObject({
    temperature: z.number().optional(),
    top_p: z.number().optional(),
    top_k: z.number().optional(),
    num_predict: z.number().optional(),
    seed: z.number().optional(),
    stop: z.union([z.string(), z.array(z.string())]).optional(),
    presence_penalty: z.number().optional(),
    frequency_penalty: z.number().optional(),
  })
  .nullish();
const common = {
  options: Options,
  format: z.union([z.literal(""), z.literal("json"), z.record(z.string(), z.unknown())]).nullish(),
  think: z.union([z.boolean(), z.enum(["low", "medium", "high"])]).nullish(),
};
const images = z.array(z.string()).nullish();
const ChatRequest = z.looseObject({
  ...common,
  messages: z
    .array(
      z.looseObject({
        role: z.enum(["system", "user", "assistant", "tool"]),
        content: z.string().nullish(),
        images,
        tool_name: z.string().nullish(),
        tool_calls: z
          .array(z.looseObject({ function: z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).nullish() }) }))
          .nullish(),
      }),
    )
    .min(1),
  tools: z
    .array(
      z.looseObject({
        function: z.looseObject({
          name: z.string(),
          description: z.string().nullish(),
          parameters: z.record(z.string(), z.unknown()).nullish(),
        }),
      }),
    )
    .nullish(),
});
const GenerateRequest = z.looseObject({ ...common, prompt: z.string().default(""), system: z.string().nullish(), images });

/** A chat of Ollama. @throws ZodError */
export function fromOllamaChat(body: unknown): NeutralCall {
  const request = ChatRequest.parse(body);
  const names = new ToolNames();
  let calls = 0;
  let answered = 0;
  const prompt = request.messages.map((message): Message => {
    const text = message.content ?? "";
    if (message.role === "system") return { role: "system", content: text };
    if (message.role === "user") return { role: "user", content: userParts(text, message.images) };
    if (message.role === "tool") {
      // Its calls have no ids: results come in the order of the calls.
      const toolCallId = `call_${answered++}`;
      const toolName = message.tool_name ?? names.nameOf(toolCallId);
      return { role: "tool", content: [{ type: "tool-result", toolCallId, toolName, output: { type: "text", value: text } }] };
    }
    const parts = (message.tool_calls ?? []).map((call) => {
      const toolCallId = `call_${calls++}`;
      names.note(toolCallId, call.function.name);
      return { type: "tool-call" as const, toolCallId, toolName: call.function.name, input: call.function.arguments ?? {} };
    });
    return { role: "assistant", content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...parts] };
  });
  const tools = request.tools?.map(({ function: tool }) => ({
    type: "function" as const,
    name: tool.name,
    inputSchema: (tool.parameters ?? { type: "object", properties: {} }) as Schema,
    ...given({ description: tool.description }),
  }));
  return { prompt, ...settings(request), ...given({ tools }) } as NeutralCall;
}

/** A completion of Ollama. @throws ZodError */
export function fromOllamaGenerate(body: unknown): NeutralCall {
  const request = GenerateRequest.parse(body);
  return {
    prompt: [
      ...(request.system == null || request.system === "" ? [] : [{ role: "system" as const, content: request.system }]),
      { role: "user", content: userParts(request.prompt, request.images) },
    ],
    ...settings(request),
  };
}

function userParts(text: string, pictures: readonly string[] | null | undefined): UserPart[] {
  const files = (pictures ?? []).map((data): UserPart => ({ type: "file", mediaType: "image/*", data: { type: "data", data } }));
  return [{ type: "text", text }, ...files];
}

function settings({ options, format, think }: Pick<z.infer<typeof GenerateRequest>, "options" | "format" | "think">): object {
  const stop = options?.stop;
  return given({
    temperature: options?.temperature,
    topP: options?.top_p,
    topK: options?.top_k,
    // −1 and −2 stand for «as much as there is».
    maxOutputTokens: options?.num_predict !== undefined && options.num_predict > 0 ? options.num_predict : undefined,
    seed: options?.seed,
    presencePenalty: options?.presence_penalty,
    frequencyPenalty: options?.frequency_penalty,
    stopSequences: typeof stop === "string" ? [stop] : stop,
    reasoning: think === undefined || think === null ? undefined : think === false ? "none" : think === true ? "medium" : think,
    responseFormat:
      format == null || format === "" ? undefined : { type: "json", ...(typeof format === "string" ? {} : { schema: format as Schema }) },
  });
}
