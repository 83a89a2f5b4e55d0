import type { Tokens } from "../metering/usage.ts";
import type { AnswerHead, Finish, NeutralAnswer, NeutralEvent, StreamWriter } from "./answer.ts";
import { parseArguments } from "./call.ts";

type Kind = "chat" | "generate";

/** Where the text of a piece stands: of a chat in a message, of a completion beside the rest. */
function piece(kind: Kind, text: string, more: { thinking?: string; calls?: readonly object[] } = {}): object {
  const thinking = more.thinking ? { thinking: more.thinking } : {};
  if (kind === "generate") return { response: text, ...thinking };
  return { message: { role: "assistant", content: text, ...thinking, ...(more.calls?.length ? { tool_calls: more.calls } : {}) } };
}

function last(finish: Finish, { input, output }: Tokens, createdAt: Date): object {
  const took = Math.max(1, Date.now() - createdAt.getTime()) * 1_000_000;
  return {
    done: true,
    done_reason: finish === "length" ? "length" : "stop",
    total_duration: took,
    load_duration: 0,
    prompt_eval_count: input ?? 0,
    prompt_eval_duration: 0,
    eval_count: output ?? 0,
    eval_duration: took,
  };
}

function callOf(name: string, text: string): object {
  return { function: { name, arguments: parseArguments(text) } };
}

export function toOllama(kind: Kind, answer: NeutralAnswer, { model, createdAt }: AnswerHead): object {
  const calls = answer.calls.map((call) => callOf(call.name, call.arguments));
  return {
    model,
    created_at: createdAt.toISOString(),
    ...piece(kind, answer.text, { thinking: answer.reasoning, calls }),
    ...last(answer.finish, answer.tokens, createdAt),
  };
}

/** The same in lines. Calls of tools come whole, when all of their arguments are there. */
export function ollamaStream(kind: Kind, { model, createdAt }: AnswerHead): StreamWriter {
  const calls: { name: string; text: string }[] = [];
  const line = (content: object) => `${JSON.stringify({ model, created_at: new Date().toISOString(), ...content })}\n`;
  const write = (event: NeutralEvent): string => {
    switch (event.type) {
      case "text":
        return line({ ...piece(kind, event.delta), done: false });
      case "reasoning":
        return line({ ...piece(kind, "", { thinking: event.delta }), done: false });
      case "call":
        calls[event.index] = { name: event.name, text: "" };
        return "";
      case "arguments": {
        const call = calls[event.index];
        if (call !== undefined) call.text += event.delta;
        return "";
      }
      case "finish": {
        const made = calls.map(({ name, text }) => callOf(name, text));
        const before = made.length === 0 ? "" : line({ ...piece(kind, "", { calls: made }), done: false });
        return before + line({ ...piece(kind, ""), ...last(event.finish, event.tokens, createdAt) });
      }
    }
  };
  return { begin: () => "", write, end: () => "" };
}
