import type { Endpoint } from "../protocol.ts";
import type { AnswerHead, NeutralAnswer, StreamWriter } from "./answer.ts";
import type { NeutralCall } from "./call.ts";
import { fromAnthropic } from "./from-anthropic.ts";
import { fromOllamaChat, fromOllamaGenerate } from "./from-ollama.ts";
import { fromOpenaiChat } from "./from-openai-chat.ts";
import { fromOpenaiResponses } from "./from-openai-responses.ts";
import { anthropicStream, toAnthropic } from "./to-anthropic.ts";
import { ollamaStream, toOllama } from "./to-ollama.ts";
import { openaiChatStream, toOpenaiChat } from "./to-openai-chat.ts";
import { openaiResponsesStream, toOpenaiResponses } from "./to-openai-responses.ts";

/** How an operation is read and answered when its provider speaks another dialect. */
export interface Dialect {
  readonly read: (body: unknown) => NeutralCall;
  readonly answer: (answer: NeutralAnswer, head: AnswerHead) => object;
  readonly stream: (head: AnswerHead, facts: { withUsage: boolean; inputTokens: number }) => StreamWriter;
  readonly contentType: string;
}

const events = "text/event-stream; charset=utf-8";

/** Null: the operation exists only where the provider has it itself. */
export function dialectOf({ protocol, operation }: Endpoint): Dialect | null {
  switch (`${protocol} ${operation}`) {
    case "openai chat":
      return {
        read: fromOpenaiChat,
        answer: toOpenaiChat,
        stream: (head, { withUsage }) => openaiChatStream(head, withUsage),
        contentType: events,
      };
    case "openai responses":
      return { read: fromOpenaiResponses, answer: toOpenaiResponses, stream: openaiResponsesStream, contentType: events };
    case "anthropic messages":
      return {
        read: fromAnthropic,
        answer: toAnthropic,
        stream: (head, { inputTokens }) => anthropicStream(head, inputTokens),
        contentType: events,
      };
    case "ollama chat":
    case "ollama generate": {
      const kind = operation === "chat" ? "chat" : "generate";
      return {
        read: kind === "chat" ? fromOllamaChat : fromOllamaGenerate,
        answer: (answer, head) => toOllama(kind, answer, head),
        stream: (head) => ollamaStream(kind, head),
        contentType: "application/x-ndjson",
      };
    }
    default:
      return null;
  }
}
