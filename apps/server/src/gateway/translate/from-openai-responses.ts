import { z } from "zod";
import { filePart, given, parseArguments, ToolNames, type Message, type NeutralCall, type Schema, type UserPart } from "./call.ts";

const Part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  image_url: z.string().nullish(),
  file_data: z.string().nullish(),
});
const Item = z.looseObject({
  type: z.string().optional(),
  role: z.enum(["system", "developer", "user", "assistant"]).optional(),
  content: z.union([z.string(), z.array(Part)]).nullish(),
  call_id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.string().optional(),
  output: z.unknown().optional(),
});
const number = z.number().nullish();
const ResponsesRequest = z.looseObject({
  input: z.union([z.string(), z.array(Item)]),
  instructions: z.string().nullish(),
  previous_response_id: z.null({ error: "answers are not kept by this provider: send the whole conversation" }).optional(),
  temperature: number,
  top_p: number,
  max_output_tokens: number,
  tools: z
    .array(
      z.looseObject({
        type: z.literal("function", { error: "only functions can be had from this provider" }),
        name: z.string(),
        description: z.string().nullish(),
        parameters: z.record(z.string(), z.unknown()).nullish(),
        strict: z.boolean().nullish(),
      }),
    )
    .nullish(),
  tool_choice: z.union([z.enum(["auto", "none", "required"]), z.looseObject({ type: z.literal("function"), name: z.string() })]).nullish(),
  text: z
    .looseObject({
      format: z
        .looseObject({
          type: z.enum(["text", "json_object", "json_schema"]),
          name: z.string().optional(),
          description: z.string().nullish(),
          schema: z.record(z.string(), z.unknown()).optional(),
        })
        .optional(),
    })
    .nullish(),
  reasoning: z.looseObject({ effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish() }).nullish(),
});

/** A response of OpenAI. @throws ZodError */
export function fromOpenaiResponses(body: unknown): NeutralCall {
  const request = ResponsesRequest.parse(body);
  const names = new ToolNames();
  const items = typeof request.input === "string" ? [{ role: "user" as const, content: request.input }] : request.input;
  const format = request.text?.format;
  const choice = request.tool_choice;
  return {
    prompt: [
      ...(request.instructions == null ? [] : [{ role: "system" as const, content: request.instructions }]),
      ...items.flatMap((item) => toMessage(item, names)),
    ],
    ...given({
      temperature: request.temperature,
      topP: request.top_p,
      maxOutputTokens: request.max_output_tokens,
      reasoning: request.reasoning?.effort,
      tools: request.tools?.map((tool) => ({
        type: "function" as const,
        name: tool.name,
        inputSchema: (tool.parameters ?? { type: "object", properties: {} }) as Schema,
        ...given({ description: tool.description, strict: tool.strict }),
      })),
      toolChoice:
        choice == null ? undefined : typeof choice === "string" ? { type: choice } : { type: "tool" as const, toolName: choice.name },
      responseFormat:
        format === undefined || format.type === "text"
          ? undefined
          : {
              type: "json" as const,
              ...given({ schema: format.schema as Schema, name: format.name, description: format.description }),
            },
    }),
  } as NeutralCall;
}

function toMessage(item: z.infer<typeof Item>, names: ToolNames): Message[] {
  if (item.type === "function_call" && item.call_id !== undefined && item.name !== undefined) {
    names.note(item.call_id, item.name);
    const input = parseArguments(item.arguments ?? "");
    return [{ role: "assistant", content: [{ type: "tool-call", toolCallId: item.call_id, toolName: item.name, input }] }];
  }
  if (item.type === "function_call_output" && item.call_id !== undefined) {
    const value = typeof item.output === "string" ? item.output : JSON.stringify(item.output ?? "");
    const toolName = names.nameOf(item.call_id);
    return [{ role: "tool", content: [{ type: "tool-result", toolCallId: item.call_id, toolName, output: { type: "text", value } }] }];
  }
  if (item.role === undefined) return []; // thoughts, which another provider cannot read
  const text = typeof item.content === "string" ? item.content : (item.content ?? []).map((part) => part.text ?? "").join("");
  if (item.role === "assistant") return [{ role: "assistant", content: [{ type: "text", text }] }];
  if (item.role !== "user") return [{ role: "system", content: text }];
  if (item.content == null || typeof item.content === "string") return [{ role: "user", content: [{ type: "text", text }] }];
  return [
    {
      role: "user",
      content: item.content.map((part): UserPart => {
        if (part.image_url != null) return filePart(part.image_url);
        if (part.file_data != null) return filePart(part.file_data, "application/pdf");
        return { type: "text", text: part.text ?? "" };
      }),
    },
  ];
}
