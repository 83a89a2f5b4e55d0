import { piecesOf, vectorOf, type Reply, type RequestBody } from "./reply.ts";

const created = 1_700_000_000;
const sse = (document: object) => `data: ${JSON.stringify(document)}\n\n`;
const named = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

function usageOf({ usage }: Reply): object | null {
  if (usage === null) return null;
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: 0 },
  };
}

function toolCall({ call }: Reply): object[] {
  return call === null ? [] : [{ id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } }];
}

export function answerChat(body: RequestBody, reply: Reply): object {
  const calls = toolCall(reply);
  const usage = usageOf(reply);
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created,
    model: `${body.model ?? body.model_id}-2024`,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: calls.length > 0 ? null : reply.text,
          refusal: null,
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: calls.length > 0 ? "tool_calls" : "stop",
      },
    ],
    ...(usage !== null && { usage }),
    system_fingerprint: "fp_1",
    x_unknown_field: { kept: true },
  };
}

export function streamChat(body: RequestBody, reply: Reply): string[] {
  const common = {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created,
    model: `${body.model ?? body.model_id}-2024`,
    system_fingerprint: "fp_1",
  };
  const chunk = (delta: object, finish: string | null = null) =>
    sse({ ...common, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
  const { call } = reply;
  const calls =
    call === null
      ? []
      : [
          chunk({ tool_calls: [{ index: 0, id: call.id, type: "function", function: { name: call.name, arguments: "" } }] }),
          ...piecesOf(call.arguments).map((text) => chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
        ];
  const usage = usageOf(reply);
  const last = body.stream_options?.include_usage === true && usage !== null ? [sse({ ...common, choices: [], usage })] : [];
  return [
    chunk({ role: "assistant", content: "" }),
    ...piecesOf(reply.text).map((content) => chunk({ content })),
    ...calls,
    chunk({}, call === null ? "stop" : "tool_calls"),
    ...last,
    "data: [DONE]\n\n",
  ];
}

export function answerCompletion(body: RequestBody, reply: Reply): object {
  const usage = usageOf(reply);
  const choices = [{ index: 0, text: reply.text, logprobs: null, finish_reason: "stop" }];
  return { id: "cmpl-1", object: "text_completion", created, model: body.model, choices, ...(usage !== null && { usage }) };
}

export function streamCompletion(body: RequestBody, reply: Reply): string[] {
  const common = { id: "cmpl-1", object: "text_completion", created, model: body.model };
  const chunk = (text: string, finish: string | null) =>
    sse({ ...common, choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] });
  const usage = usageOf(reply);
  const last = body.stream_options?.include_usage === true && usage !== null ? [sse({ ...common, choices: [], usage })] : [];
  return [...piecesOf(reply.text).map((text) => chunk(text, null)), chunk("", "stop"), ...last, "data: [DONE]\n\n"];
}

export function answerEmbeddings(body: RequestBody): object {
  const inputs = (Array.isArray(body.input) ? body.input : [body.input]) as string[];
  const data = inputs.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text) }));
  const tokens = Math.ceil(inputs.join("").length / 4);
  return { object: "list", data, model: body.model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function responseOf(body: RequestBody, reply: Reply, status: "completed" | "in_progress"): Record<string, unknown> {
  const done = status === "completed";
  const item =
    reply.call === null
      ? {
          id: "msg_1",
          type: "message",
          status,
          role: "assistant",
          content: [{ type: "output_text", text: reply.text, annotations: [], logprobs: [] }],
        }
      : { id: "fc_1", type: "function_call", status, call_id: reply.call.id, name: reply.call.name, arguments: reply.call.arguments };
  const usage =
    reply.usage === null || !done
      ? null
      : {
          input_tokens: reply.usage.input,
          input_tokens_details: { cached_tokens: reply.usage.cached },
          output_tokens: reply.usage.output,
          output_tokens_details: { reasoning_tokens: reply.usage.reasoning },
          total_tokens: reply.usage.input + reply.usage.output,
        };
  return {
    id: "resp_1",
    object: "response",
    created_at: created,
    status,
    error: null,
    incomplete_details: null,
    model: body.model,
    output: done ? [item] : [],
    parallel_tool_calls: true,
    tools: [],
    tool_choice: "auto",
    usage,
  };
}

export function answerResponse(body: RequestBody, reply: Reply): object {
  return responseOf(body, reply, "completed");
}

export function streamResponse(body: RequestBody, reply: Reply): string[] {
  let number = 0;
  const event = (type: string, more: object) => named(type, { sequence_number: number++, ...more });
  const done = responseOf(body, reply, "completed");
  const [item] = done["output"] as object[];
  const at = { item_id: reply.call === null ? "msg_1" : "fc_1", output_index: 0 };
  const middle =
    reply.call === null
      ? piecesOf(reply.text).map((delta) => event("response.output_text.delta", { ...at, content_index: 0, delta, logprobs: [] }))
      : piecesOf(reply.call.arguments).map((delta) => event("response.function_call_arguments.delta", { ...at, delta }));
  const opened =
    reply.call === null
      ? [event("response.content_part.added", { ...at, content_index: 0, part: { type: "output_text", text: "", annotations: [] } })]
      : [];
  return [
    event("response.created", { response: responseOf(body, reply, "in_progress") }),
    event("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress" } }),
    ...opened,
    ...middle,
    event("response.output_item.done", { output_index: 0, item }),
    event("response.completed", { response: done }),
  ];
}
