import { createHash } from "node:crypto";
import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { behaviours, type Behaviour, type ReadersPlan, type ReadersReport } from "./event-readers.ts";

/** Reads one stream of events many times at once; see {@link ReadersPlan}, which is the argument. Tells its parent what it has seen. */

const plan = JSON.parse(process.argv[2] ?? "") as ReadersPlan;
const agent = new Agent({ keepAlive: false });
const slowMs = 1500;
const stayMs = 3000;

const lagMs = Array.from({ length: 20_001 }, () => 0);
const read: Record<string, number> = {};
let misplaced = 0;
const total = behaviours.reduce((sum, behaviour) => sum + plan.readers[behaviour], 0);
let connected = 0;

/** Follows the events over as many connections as there are. */
class Reader {
  readonly #behaviour: Behaviour;
  readonly #hash = createHash("sha256");
  #rest = "";
  #last = 0;
  #lines = 0;
  #isOver = false;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
  }

  async run(): Promise<void> {
    for (let first = true; !this.#isOver; first = false) {
      if (first) await turn();
      const response = await connect(this.#last).finally(() => (first ? done() : undefined));
      if (first && (connected += 1) === total) process.send?.("connected");
      if (this.#behaviour === "silent") return void response.pause();
      this.#rest = "";
      await this.#readAll(response);
      if (!this.#isOver && this.#behaviour !== "leaving") throw new Error("a stream ended before its end");
    }
    const key = `${this.#behaviour}: ${this.#lines} lines, ${this.#hash.digest("hex").slice(0, 16)}`;
    read[key] = (read[key] ?? 0) + 1;
  }

  async #readAll(response: IncomingMessage): Promise<void> {
    const leave = this.#behaviour === "leaving" ? setTimeout(() => response.destroy(), stayMs * (0.5 + Math.random())) : undefined;
    response.setEncoding("utf8");
    try {
      for await (const piece of response as AsyncIterable<string>) {
        this.#take(piece);
        if (this.#behaviour === "slow" && !isLate) await sleep(slowMs);
      }
    } catch (error) {
      if (leave === undefined) throw error;
    } finally {
      clearTimeout(leave);
    }
  }

  #take(piece: string): void {
    const blocks = (this.#rest + piece).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    const now = Date.now();
    for (const block of blocks) if (!block.startsWith(":")) this.#event(block, now);
  }

  #event(block: string, now: number): void {
    const seq = Number(block.slice(4, block.indexOf("\n")));
    if (seq !== this.#last + 1) misplaced += 1;
    this.#last = seq;
    this.#hash.update(block);
    if (block.includes("event: end\n")) return void (this.#isOver = true);
    if (!block.includes("event: log\n")) return;
    for (let at = block.indexOf(String.raw`\n`); at !== -1; at = block.indexOf(String.raw`\n`, at + 2)) this.#lines += 1;
    if (this.#behaviour !== "steady") return;
    const at = block.indexOf('"time":"') + 8;
    const lag = Math.max(0, now - Date.parse(block.slice(at, at + 24)));
    const bucket = Math.min(lag, lagMs.length - 1);
    lagMs[bucket] = (lagMs[bucket] ?? 0) + 1;
  }
}

/** So many come at a time: they need not be there within the same moment. */
const comingAtOnce = 20;
let coming = 0;
const next: (() => void)[] = [];

async function turn(): Promise<void> {
  if (coming >= comingAtOnce) await new Promise<void>((resolve) => next.push(resolve));
  coming += 1;
}

function done(): void {
  coming -= 1;
  next.shift()?.();
}

function connect(after: number): Promise<IncomingMessage> {
  const { port, path } = plan;
  const headers = { ...plan.headers, accept: "text/event-stream", ...(after > 0 && { "last-event-id": String(after) }) };
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers, agent }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`the stream answered ${response.statusCode}`));
    }).on("error", reject);
  });
}

/** The steady readers have come to the end: the slow ones need not be slow any longer. */
let isLate = false;

const readersOf = (behaviour: Behaviour) => Array.from({ length: plan.readers[behaviour] }, () => new Reader(behaviour).run());
const all = new Map(behaviours.map((behaviour) => [behaviour, readersOf(behaviour)]));
await Promise.all(all.get("steady") ?? []);
isLate = true;
await Promise.all([...all.values()].flat());
process.send?.({ read, misplaced, lagMs } satisfies ReadersReport);
process.once("disconnect", () => process.exit(0));
