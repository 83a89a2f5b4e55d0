import type { Tokens } from "../metering/usage.ts";
import type { AnswerHead, Finish, NeutralAnswer, StreamWriter } from "./answer.ts";

const reasons: Readonly<Record<Finish, string>> = {
  stop: "stop",
  length: "length",
  "content-filter": "content_filter",
  "tool-calls": "tool_calls",
  other: "stop",
};

function usageOf({ input, output, cached, reasoning }: Tokens): object {
  return {
    prompt_tokens: input ?? 0,
    completion_tokens: output ?? 0,
    total_tokens: (input ?? 0) + (output ?? 0),
    prompt_tokens_details: { cached_tokens: cached ?? 0 },
    completion_tokens_details: { reasoning_tokens: reasoning ?? 0 },
  };
}

/** A chat completion. */
export function toOpenaiChat(answer: NeutralAnswer, { id, model, createdAt }: AnswerHead): object {
  const calls = answer.calls.map((call) => ({ id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } }));
  return {
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    created: Math.floor(createdAt.getTime() / 1000),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: answer.text === "" && calls.length > 0 ? null : answer.text,
          ...(answer.reasoning === "" ? {} : { reasoning_content: answer.reasoning }),
          refusal: null,
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: reasons[answer.finish],
      },
    ],
    usage: usageOf(answer.tokens),
  };
}

/** The same in chunks. `withUsage`: the caller asked for usage at the end. */
export function openaiChatStream({ id, model, createdAt }: AnswerHead, withUsage: boolean): StreamWriter {
  const common = { id: `chatcmpl-${id}`, object: "chat.completion.chunk", created: Math.floor(createdAt.getTime() / 1000), model };
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ ...common, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...(withUsage ? { usage: null } : {}) })}\n\n`;
  return {
    begin: () => chunk({ role: "assistant", content: "" }),
    write(event) {
      switch (event.type) {
        case "text":
          return chunk({ content: event.delta });
        case "reasoning":
          return chunk({ reasoning_content: event.delta });
        case "call":
          return chunk({
            tool_calls: [{ index: event.index, id: event.id, type: "function", function: { name: event.name, arguments: "" } }],
          });
        case "arguments":
          return chunk({ tool_calls: [{ index: event.index, function: { arguments: event.delta } }] });
        case "finish":
          return (
            chunk({}, reasons[event.finish]) +
            (withUsage ? `data: ${JSON.stringify({ ...common, choices: [], usage: usageOf(event.tokens) })}\n\n` : "")
          );
      }
    },
    end: () => "data: [DONE]\n\n",
  };
}
