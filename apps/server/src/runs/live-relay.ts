import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { z } from "zod";
import type { Redis } from "../platform/redis.ts";
import type { LiveRuns } from "./live-runs.ts";
import { decodeRecord, encodeRecord, type LogRecord } from "./log-records.ts";

const askChannel = "syla:follow";
/** Which run, after which of its events, and where they are to be sent. */
const Ask = z.object({ runId: z.string(), after: z.int(), to: z.string() });

/** Besides events: that there are none yet, and that there will be none any more. */
const alive = "";
const over = "over";
const aliveMs = 500;
/** Whoever has the run would have said something: at first, and then. */
const answerMs = 300;
const silenceMs = 1500;
/** Whoever reads too slowly for so many characters begins again where they are. */
const mostHeld = 4 * 1024 * 1024;

/**
 * The events of runs at other servers, through Redis. A run's server sends them only while somebody asks for them. Whatever goes wrong, the generator
 * ends, and is begun again after the last event that was had: nothing is lost, and nothing comes twice.
 */
export class LiveRelay {
  readonly #redis: Pick<Redis, "state" | "publish" | "subscribe">;
  readonly #liveRuns: LiveRuns;

  constructor(redis: Pick<Redis, "state" | "publish" | "subscribe">, liveRuns: LiveRuns) {
    this.#redis = redis;
    this.#liveRuns = liveRuns;
  }

  /** Answers those who ask, until the answered function is called. */
  async serve(): Promise<() => void> {
    return await this.#redis.subscribe(askChannel, (message) => void this.#answer(message).catch(() => {})); // they ask again
  }

  /** The events of a run after `seq`, until they are over or whoever has it is silent. */
  async *follow(runId: string, seq: number, signal: AbortSignal): AsyncGenerator<LogRecord> {
    if (this.#redis.state !== "connected") return;
    const to = `syla:events:${randomUUID()}`;
    const held: string[] = [];
    const changes = new EventEmitter();
    let size = 0;
    let isTooMuch = false;
    const end = await this.#redis.subscribe(to, (message) => {
      isTooMuch ||= size > mostHeld;
      if (isTooMuch) return; // what follows a gap is no use
      size += message.length;
      held.push(message);
      changes.emit("change");
    });
    try {
      if (((await this.#redis.publish(askChannel, JSON.stringify({ runId, after: seq, to }))) ?? 0) === 0) return;
      let isAnswered = false;
      while (!signal.aborted) {
        const message = held.shift();
        if (message === undefined) {
          if (isTooMuch || !(await isToldWithin(isAnswered ? silenceMs : answerMs, changes, signal))) return;
          continue;
        }
        isAnswered = true;
        size -= message.length;
        if (message === over) return;
        const record = message === alive ? null : decodeRecord(message);
        if (record !== null) yield record;
      }
    } finally {
      end();
    }
  }

  async #answer(message: string): Promise<void> {
    const { runId, after, to } = Ask.parse(JSON.parse(message));
    const live = this.#liveRuns.get(runId);
    if (live === undefined) return;
    const gone = new AbortController();
    const send = async (text: string) => {
      if (((await this.#redis.publish(to, text)) ?? 0) === 0) gone.abort();
    };
    const beat = setInterval(() => void send(alive), aliveMs);
    try {
      await send(alive);
      for await (const record of live.follow(after, gone.signal)) {
        if (gone.signal.aborted) return;
        await send(encodeRecord(record));
      }
      await send(over);
    } finally {
      clearInterval(beat);
    }
  }
}

async function isToldWithin(ms: number, changes: EventEmitter, signal: AbortSignal): Promise<boolean> {
  const enough = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  return await once(changes, "change", { signal: enough }).then(
    () => true,
    () => false,
  );
}
