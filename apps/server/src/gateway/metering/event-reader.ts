import { AppError } from "@syla/contracts/errors";
import type { Family } from "../upstream/target.ts";

const mostEventBytes = 16 * 1024 * 1024;
/** No answer has so many; each takes time. */
const mostEvents = 500_000;
/** Characters of the longest end of an event. */
const longestEnd = 4;

/** One event of a provider's stream: as it came, and what is in it. Null: it carries none (a comment, `[DONE]`). */
export interface StreamEvent {
  readonly raw: string;
  readonly document: Readonly<Record<string, unknown>> | null;
  /** `[DONE]` */
  readonly isDone: boolean;
}

/** Takes a provider's stream apart, and loses no character of it. @throws AppError `model_garbled` where something is no event */
export async function* readEvents(family: Family, body: AsyncIterable<Buffer>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const end = family === "ollama" ? /\r?\n/g : /\r\n\r\n|\n\n|\r\r/g;
  // An event's beginning is looked through once: only its last characters can be part of an end that comes with the next chunk.
  let before: string[] = [];
  let size = 0;
  let text = "";
  let count = 0;
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      let from = 0;
      // What carries nothing goes on together, however many there are: it costs nobody anything to send them.
      let empty = "";
      for (const match of text.matchAll(end)) {
        const to = match.index + match[0].length;
        const raw = before.join("") + text.slice(from, to);
        [before, size, from] = [[], 0, to];
        if (raw.trim() === "") continue;
        if (++count > mostEvents) throw garbled("it has too many events");
        const event = toEvent(family, raw);
        if (event.document === null && !event.isDone) {
          empty += raw;
          continue;
        }
        if (empty !== "") yield { raw: empty, document: null, isDone: false };
        empty = "";
        yield event;
      }
      if (empty !== "") yield { raw: empty, document: null, isDone: false };
      const kept = Math.max(from, text.length - longestEnd + 1);
      if (kept > from) before.push(text.slice(from, kept));
      size += kept - from;
      text = text.slice(kept);
      if (size > mostEventBytes) throw garbled("an event is too long");
    }
    text += decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw garbled("it is not text");
    throw error;
  }
  const last = before.join("") + text;
  if (last.trim() !== "") yield toEvent(family, last);
}

function toEvent(family: Family, raw: string): StreamEvent {
  if (family === "ollama") return { raw, document: parse(raw), isDone: false };
  const lines = raw.split(/\r\n|\n|\r/);
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""));
  if (data.length === 0) {
    if (lines.every((line) => line === "" || /^(:|event:|id:|retry:)/.test(line))) return { raw, document: null, isDone: false };
    throw garbled("a line is no part of an event");
  }
  const text = data.join("\n");
  if (text.trim() === "[DONE]") return { raw, document: null, isDone: true };
  return { raw, document: parse(text), isDone: false };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw garbled("an event is no JSON object");
}

function garbled(what: string): AppError {
  return new AppError("model_garbled", { message: `The provider's stream cannot be read: ${what}.` });
}
