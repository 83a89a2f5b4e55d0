import type { AnswerHead, Finish, NeutralAnswer, StreamWriter } from "./answer.ts";
import { parseArguments } from "./call.ts";

const reasons: Readonly<Record<Finish, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  "content-filter": "refusal",
  "tool-calls": "tool_use",
  other: "end_turn",
};

/** A message. */
export function toAnthropic(answer: NeutralAnswer, { id, model }: AnswerHead): object {
  const { input, output, cached } = answer.tokens;
  return {
    id: `msg_${id}`,
    type: "message",
    role: "assistant",
    model,
    content: [
      ...(answer.reasoning === "" ? [] : [{ type: "thinking", thinking: answer.reasoning, signature: "" }]),
      ...(answer.text === "" && answer.calls.length > 0 ? [] : [{ type: "text", text: answer.text, citations: null }]),
      ...answer.calls.map((call) => ({ type: "tool_use", id: call.id, name: call.name, input: parseArguments(call.arguments) })),
    ],
    stop_reason: reasons[answer.finish],
    stop_sequence: null,
    usage: { input_tokens: (input ?? 0) - (cached ?? 0), cache_read_input_tokens: cached ?? 0, output_tokens: output ?? 0 },
  };
}

/** The same in events. Blocks come one after the other: what begins ends what was before. `inputTokens`: what is known at the beginning. */
export function anthropicStream({ id, model }: AnswerHead, inputTokens: number): StreamWriter {
  const send = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  let block = -1;
  let open: string | null = null;
  const close = () => {
    const closing = open === null ? "" : send("content_block_stop", { index: block });
    open = null;
    return closing;
  };
  const openBlock = (name: string, content: object) => {
    if (open === name) return "";
    const closing = close();
    open = name;
    block += 1;
    return closing + send("content_block_start", { index: block, content_block: content });
  };
  const delta = (content: object) => send("content_block_delta", { index: block, delta: content });
  return {
    begin: () =>
      send("message_start", {
        message: {
          id: `msg_${id}`,
          type: "message",
          role: "assistant",
          model,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: inputTokens, output_tokens: 0 },
        },
      }),
    write(event) {
      switch (event.type) {
        case "text":
          return openBlock("text", { type: "text", text: "" }) + delta({ type: "text_delta", text: event.delta });
        case "reasoning":
          return (
            openBlock("thinking", { type: "thinking", thinking: "", signature: "" }) +
            delta({ type: "thinking_delta", thinking: event.delta })
          );
        case "call":
          return openBlock(`call ${event.index}`, { type: "tool_use", id: event.id, name: event.name, input: {} });
        case "arguments":
          return delta({ type: "input_json_delta", partial_json: event.delta });
        case "finish": {
          const { input, output, cached } = event.tokens;
          const usage = {
            input_tokens: (input ?? inputTokens) - (cached ?? 0),
            cache_read_input_tokens: cached ?? 0,
            output_tokens: output ?? 0,
          };
          return close() + send("message_delta", { delta: { stop_reason: reasons[event.finish], stop_sequence: null }, usage });
        }
      }
    },
    end: () => send("message_stop", {}),
  };
}
