import { createParser } from "eventsource-parser";
import { SylaConnectionError } from "./errors.ts";

/** The data of each server-sent event of an answer, to its end. Stopping to read lets go of the connection. */
export async function* readEventStream<T>(response: Response): AsyncGenerator<T, void, void> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const pending: T[] = [];
  const parser = createParser({ onEvent: (message) => pending.push(JSON.parse(message.data) as T) });
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw new SylaConnectionError("connection_failed", "The event stream was cut off.", error);
      });
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* pending.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
