import type { EnvironmentImageEvent } from "@syla/contracts/environment-images";
import type { EnvironmentEvent } from "@syla/contracts/environments";
import type { ImportEvent } from "@syla/contracts/imports";
import type { RunEvent } from "@syla/contracts/runs";
import { createParser } from "eventsource-parser";
import { SylaConnectionError, SylaError } from "./errors.ts";
import { backoffMs, isRetryable, pause } from "./retry.ts";
import type { Transport } from "./transport.ts";

/** How to follow a run. */
export interface FollowOptions {
  /** The `seq` of the last event that you have; the stream goes on after it. */
  readonly lastEventId?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A connection without a byte (keep-alives count) for this long, in milliseconds, is taken for dead; 45,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** How many times in a row to connect again without having received anything; 20. */
  readonly maxReconnects?: number | undefined;
  /** Told before each new connection, with the reason; for "reconnecting…" in an interface. */
  readonly onReconnect?: ((error: unknown) => void) | undefined;
  /** Told when a connection stands, also when the run is quiet and no event comes. */
  readonly onConnect?: (() => void) | undefined;
}

/** What can be followed, by the operation that it is followed with. Events count from 1, and the last one is `end`. */
interface Streams {
  readonly streamRun: RunEvent;
  readonly streamEnvironment: EnvironmentEvent;
  readonly streamImport: ImportEvent;
  readonly streamEnvironmentImage: EnvironmentImageEvent;
}

interface Position {
  last: number;
  /** Where a hole was seen once: the second time it is the server's own, and accepted. */
  gapAt: number | null;
  retryMs: number | null;
}

/**
 * Follows something to its end over as many connections as it takes: each event once, in order. Source: the server-sent events
 * section of the HTML standard, plus a watch on silence that browsers' EventSource lacks.
 */
export async function* followStream<K extends keyof Streams>(
  transport: Transport,
  name: K,
  id: string,
  options: FollowOptions = {},
): AsyncGenerator<Streams[K], void, void> {
  const position: Position = { last: options.lastEventId ?? 0, gapAt: null, retryMs: null };
  let failures = 0;
  for (;;) {
    const before = position.last;
    let reason: unknown;
    try {
      for await (const event of readConnection(transport, name, id, position, options)) {
        yield event;
        if (event.type === "end") return;
      }
      reason = new SylaConnectionError("connection_failed", "The event stream ended before the run did.");
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      if (!isRetryable(error)) throw error;
      reason = error;
    }
    failures = position.last > before ? 0 : failures + 1;
    if (failures > (options.maxReconnects ?? 20)) throw reason;
    options.onReconnect?.(reason);
    await pause(delayMs(transport, position, failures, reason), options.signal);
  }
}

function delayMs(transport: Transport, position: Position, failures: number, reason: unknown): number {
  const asked = isRetryable(reason) ? (reason.retryAfterMs ?? position.retryMs ?? 0) : 0;
  return Math.min(transport.retry.maxDelayMs, Math.max(asked, backoffMs(failures, transport.retry)));
}

async function* readConnection<K extends keyof Streams>(
  transport: Transport,
  name: K,
  id: string,
  position: Position,
  options: FollowOptions,
): AsyncGenerator<Streams[K]> {
  const connection = new AbortController();
  const signal = options.signal === undefined ? connection.signal : AbortSignal.any([options.signal, connection.signal]);
  const headers: Record<string, string> = { accept: "text/event-stream", "cache-control": "no-store" };
  if (position.last > 0) headers["last-event-id"] = String(position.last);
  // a single try: the loop above is the retry
  const response = await transport.raw<keyof Streams>(name, { params: { id }, headers, signal, repeatable: false });
  if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) throw notAnEventStream(response, connection);
  options.onConnect?.();
  try {
    for await (const event of parseEvents<Streams[K]>(response, connection, position, options.idleTimeoutMs ?? 45_000)) {
      if (event.seq <= position.last) continue;
      if (isNewGap(event.seq, position)) return;
      position.last = event.seq;
      yield event;
    }
  } finally {
    connection.abort();
  }
}

function notAnEventStream(response: Response, connection: AbortController): SylaError {
  connection.abort();
  const hint = "Check that the address is that of a Syla server, and not of a proxy in front of it.";
  return new SylaError("The answer is not an event stream.", {
    code: "unexpected_answer",
    status: response.status,
    hint,
    requestId: response.headers.get("x-request-id"),
  });
}

function isNewGap(seq: number, position: Position): boolean {
  if (seq === position.last + 1 || position.gapAt === position.last) return false;
  position.gapAt = position.last;
  return true;
}

async function* parseEvents<T>(
  response: Response,
  connection: AbortController,
  position: Position,
  idleTimeoutMs: number,
): AsyncGenerator<T> {
  const pending: T[] = [];
  const parser = createParser({
    onEvent: (message) => pending.push(JSON.parse(message.data) as T),
    onRetry: (ms) => {
      position.retryMs = ms;
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of readChunks(response, connection, idleTimeoutMs)) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* pending.splice(0);
  }
}

async function* readChunks(response: Response, connection: AbortController, idleTimeoutMs: number): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  for (;;) {
    const silent = setTimeout(
      () => connection.abort(new SylaConnectionError("request_timeout", "The event stream fell silent.")),
      idleTimeoutMs,
    );
    try {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    } catch (error) {
      if (error instanceof SylaConnectionError) throw error;
      throw new SylaConnectionError("connection_failed", "The event stream was cut off.", error);
    } finally {
      clearTimeout(silent);
    }
  }
}
