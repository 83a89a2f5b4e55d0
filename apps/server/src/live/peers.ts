import { randomUUID } from "node:crypto";
import { z } from "zod";
import { LiveNotice } from "@syla/contracts/workspace-live";
import { notify, type Database } from "../platform/database.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Redis } from "../platform/redis.ts";

/** PostgreSQL carries no longer ones. */
const mostBytes = 7900;

/** What servers say to each other of a document or a room: there are changes; who is there; who asks for that; a notice for those who have it open; or only that they have some. */
const Word = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("changed"), name: z.string() }),
  z.object({ kind: z.literal("present"), name: z.string(), states: z.string() }),
  z.object({ kind: z.literal("who"), name: z.string() }),
  z.object({ kind: z.literal("here") }),
  z.object({ kind: z.literal("notice"), name: z.string(), notice: LiveNotice }),
]);
export type Word = z.infer<typeof Word>;

/** Whoever has documents open says so every now and then: nobody talks to themselves, ms. */
const othersMs = 30_000;

const Message = z.object({ from: z.string(), word: Word });

/** What the other servers are told, through Redis where it is there, else through PostgreSQL. Nothing that is kept depends on its being heard. */
export class Peers {
  readonly #redis: Pick<Redis, "state" | "publish" | "subscribe">;
  readonly #database: Pick<Database, "queries">;
  readonly #notifications: Notifications;
  readonly #self = randomUUID();
  readonly #redisChannel: string;
  readonly #databaseChannel: string;
  #heardAt = -othersMs;

  /** `channel`: whose servers talk to each other. */
  constructor(
    channel: string,
    redis: Pick<Redis, "state" | "publish" | "subscribe">,
    database: Pick<Database, "queries">,
    notifications: Notifications,
  ) {
    [this.#redisChannel, this.#databaseChannel] = [`syla:${channel}`, `${channel}_documents`];
    [this.#redis, this.#database, this.#notifications] = [redis, database, notifications];
  }

  /** Hears the others; `onGap`: something may have been missed. @returns ends that */
  async listen(onWord: (word: Word) => void, onGap: () => void): Promise<() => void> {
    const hear = (text: string) => {
      const message = Message.safeParse(parse(text));
      if (!message.success || message.data.from === this.#self) return;
      this.#heardAt = performance.now();
      onWord(message.data.word);
    };
    const ends = [
      await this.#redis.subscribe(this.#redisChannel, hear),
      await this.#notifications.listen(this.#databaseChannel, hear, onGap),
    ];
    return () => ends.forEach((end) => end());
  }

  /** Tells the others. What is too long for the way that there is stays unsaid. */
  async tell(word: Word): Promise<void> {
    if (word.kind !== "who" && word.kind !== "here" && performance.now() - this.#heardAt > othersMs) return;
    const text = JSON.stringify({ from: this.#self, word });
    // Each server hears Redis while it is there, this one too: when that is everybody, nobody has to be told otherwise.
    if (this.#redis.state === "connected" && ((await this.#redis.publish(this.#redisChannel, text)) ?? 0) > 0) return;
    if (Buffer.byteLength(text) > mostBytes) return;
    try {
      await notify(this.#database.queries, this.#databaseChannel, text);
    } catch {
      // it is looked for every now and then
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
