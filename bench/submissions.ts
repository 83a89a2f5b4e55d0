import { setTimeout as sleep } from "node:timers/promises";
import { percentile, post } from "./load.ts";
import { programFor, type Server } from "./servers.ts";

/** What came of one submission. `id` null: it was not accepted. */
export interface Submission {
  readonly id: string | null;
  /** Refused in order, to come again later; what is neither that nor accepted has failed. */
  readonly toldToWait: boolean;
  readonly ms: number;
}

let sent = 0;

/** Submits a small program, no two of them the same, without waiting for its end. `dueAt`: when it was to be sent. */
export async function submit(server: Server, dueAt = performance.now()): Promise<Submission> {
  const body = JSON.stringify({ language: "python", code: programFor(`submitted ${(sent += 1)}`) });
  const address = { port: server.port, path: "/api/v1/runs", headers: server.headers };
  const answer = await post(address, body).catch(() => ({ status: 0, body: "", retryAfter: undefined }));
  return {
    id: answer.status === 202 ? (JSON.parse(answer.body) as { id: string }).id : null,
    toldToWait: answer.status === 429 && Number(answer.retryAfter) > 0,
    ms: performance.now() - dueAt,
  };
}

interface Queue {
  readonly queued: number;
  readonly running: number;
}

async function read<T>(server: Server, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: server.headers });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

export async function readQueue(server: Server): Promise<Queue> {
  return (await read<{ queue: Queue }>(server, "/api/v1/workers")).queue;
}

export async function readStatus(server: Server, id: string): Promise<string> {
  return (await read<{ status: string }>(server, `/api/v1/runs/${id}`)).status;
}

/** Waits until nothing waits or runs; gives up when the queue has not moved for a minute. @returns the longest that the queue was seen */
export async function untilDrained(server: Server): Promise<number> {
  let longest = 0;
  let left = Infinity;
  for (let stuck = 0; stuck < 600; stuck += 1) {
    const { queued, running } = await readQueue(server);
    longest = Math.max(longest, queued);
    if (queued + running === 0) return longest;
    if (queued + running < left) stuck = 0;
    left = queued + running;
    await sleep(100);
  }
  throw new Error(`${left} runs do not end`);
}

/** How the submissions ended, by the list of runs that people see. */
export interface Ends {
  readonly accepted: number;
  readonly toldToWait: number;
  readonly failed: number;
  readonly succeeded: number;
  /** Accepted, and not to be found, or ended otherwise. */
  readonly lost: number;
  /** From the submission until a worker had it, milliseconds. */
  readonly queueMs: readonly number[];
}

export async function readEnds(server: Server, submissions: readonly Submission[]): Promise<Ends> {
  const open = new Set(submissions.flatMap(({ id }) => (id === null ? [] : [id])));
  const accepted = open.size;
  const queueMs: number[] = [];
  for (let cursor: string | null = ""; cursor !== null && open.size > 0;) {
    const page: Page = await read<Page>(server, `/api/v1/runs?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`);
    for (const { id, status, timings } of page.items) {
      if (status === "succeeded" && open.delete(id)) queueMs.push(timings.queueMs ?? 0);
    }
    cursor = page.nextCursor;
  }
  const toldToWait = submissions.filter((one) => one.toldToWait).length;
  return {
    accepted,
    toldToWait,
    failed: submissions.length - accepted - toldToWait,
    succeeded: queueMs.length,
    lost: open.size,
    queueMs,
  };
}

interface Page {
  readonly items: readonly { readonly id: string; readonly status: string; readonly timings: { readonly queueMs: number | null } }[];
  readonly nextCursor: string | null;
}

/** The 50th, 95th and 99th percentile. */
export function spread(samples: readonly number[], digits = 0): string[] {
  return [0.5, 0.95, 0.99].map((share) => percentile(samples, share).toFixed(digits));
}
