import { piecesOf, type Reply, type RequestBody } from "./reply.ts";

function contentOf({ text, call }: Reply): object[] {
  return call === null
    ? [{ type: "text", text }]
    : [{ type: "tool_use", id: call.id, name: call.name, input: JSON.parse(call.arguments) as object }];
}

function inputUsage({ usage }: Reply): object {
  return usage === null ? {} : { input_tokens: usage.input, cache_creation_input_tokens: 0, cache_read_input_tokens: usage.cached };
}

export function answerAnthropic(body: RequestBody, reply: Reply): object {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: body.model,
    content: contentOf(reply),
    stop_reason: reply.call === null ? "end_turn" : "tool_use",
    stop_sequence: null,
    usage: { ...inputUsage(reply), ...(reply.usage !== null && { output_tokens: reply.usage.output }) },
    x_unknown_field: { kept: true },
  };
}

export function streamAnthropic(body: RequestBody, reply: Reply): string[] {
  const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const { call } = reply;
  const start = call === null ? { type: "text", text: "" } : { type: "tool_use", id: call.id, name: call.name, input: {} };
  const deltas =
    call === null
      ? piecesOf(reply.text).map((text) => ({ type: "text_delta", text }))
      : piecesOf(call.arguments).map((text) => ({ type: "input_json_delta", partial_json: text }));
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: body.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  return [
    event("message_start", { message: { ...message, usage: { ...inputUsage(reply), output_tokens: reply.usage === null ? 0 : 1 } } }),
    event("content_block_start", { index: 0, content_block: start }),
    event("ping", {}),
    ...deltas.map((delta) => event("content_block_delta", { index: 0, delta })),
    event("content_block_stop", { index: 0 }),
    event("message_delta", {
      delta: { stop_reason: call === null ? "end_turn" : "tool_use", stop_sequence: null },
      usage: reply.usage === null ? {} : { output_tokens: reply.usage.output },
    }),
    event("message_stop", {}),
  ];
}
