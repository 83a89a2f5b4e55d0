import type { LanguageModelV4GenerateResult, LanguageModelV4StreamPart, LanguageModelV4Usage } from "@ai-sdk/provider";
import type { Tokens } from "../metering/usage.ts";

/** What a whole answer is, in no protocol. */
export interface NeutralAnswer {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finish: Finish;
  readonly tokens: Tokens;
}

/** Why an answer ended. */
export type Finish = "stop" | "length" | "content-filter" | "tool-calls" | "other";

/** A piece of an answer. */
export type NeutralEvent =
  | { readonly type: "text" | "reasoning"; readonly delta: string }
  | { readonly type: "call"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: "arguments"; readonly index: number; readonly delta: string }
  | { readonly type: "finish"; readonly finish: Finish; readonly tokens: Tokens };

/** Who answers, for documents that name it. */
export interface AnswerHead {
  readonly id: string;
  readonly model: string;
  readonly createdAt: Date;
}

/** Writes the events of a stream in a protocol. */
export interface StreamWriter {
  begin(): string;
  write(event: NeutralEvent): string;
  end(): string;
}

export function toAnswer({ content, finishReason, usage }: LanguageModelV4GenerateResult): NeutralAnswer {
  const join = (type: "text" | "reasoning") => content.flatMap((part) => (part.type === type ? [part.text] : [])).join("");
  return {
    text: join("text"),
    reasoning: join("reasoning"),
    calls: content.flatMap((part) =>
      part.type === "tool-call" ? [{ id: part.toolCallId, name: part.toolName, arguments: part.input }] : [],
    ),
    finish: toFinish(finishReason.unified),
    tokens: toTokens(usage),
  };
}

/** @throws whatever the stream says went wrong */
export async function* toEvents(parts: AsyncIterable<LanguageModelV4StreamPart>): AsyncGenerator<NeutralEvent> {
  const indexes = new Map<string, number>();
  for await (const part of parts) {
    switch (part.type) {
      case "text-delta":
        yield { type: "text", delta: part.delta };
        break;
      case "reasoning-delta":
        yield { type: "reasoning", delta: part.delta };
        break;
      case "tool-input-start":
        indexes.set(part.id, indexes.size);
        yield { type: "call", index: indexes.size - 1, id: part.id, name: part.toolName };
        break;
      case "tool-input-delta":
        yield { type: "arguments", index: indexes.get(part.id) ?? 0, delta: part.delta };
        break;
      case "tool-call":
        if (indexes.has(part.toolCallId)) break; // it came in pieces
        indexes.set(part.toolCallId, indexes.size);
        yield { type: "call", index: indexes.size - 1, id: part.toolCallId, name: part.toolName };
        yield { type: "arguments", index: indexes.size - 1, delta: part.input };
        break;
      case "finish":
        yield { type: "finish", finish: toFinish(part.finishReason.unified), tokens: toTokens(part.usage) };
        break;
      case "error":
        throw part.error;
      default:
    }
  }
}

function toFinish(unified: string): Finish {
  return unified === "stop" || unified === "length" || unified === "content-filter" || unified === "tool-calls" ? unified : "other";
}

function toTokens({ inputTokens, outputTokens }: LanguageModelV4Usage): Tokens {
  return {
    input: inputTokens.total ?? null,
    output: outputTokens.total ?? null,
    cached: inputTokens.cacheRead ?? null,
    reasoning: outputTokens.reasoning ?? null,
  };
}
