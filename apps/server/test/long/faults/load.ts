import { setTimeout as sleep } from "node:timers/promises";
import { isFinal, Run } from "@syla/contracts/runs";
import { newId } from "@syla/server/platform/ids";
import type { Installation, Node } from "./installation.ts";
import { readToTheEnd, type Reading } from "./log-reader.ts";
import { inputOf, programs, type Program } from "./programs.ts";
import type { SideEffects } from "./side-effects.ts";

/** What the load needs of the installation that lasts over all rounds. */
export interface Ground {
  readonly installation: Installation;
  readonly effects: SideEffects;
  /** A key that may have one run at a time. */
  readonly limitedKey: string;
  /** A program of the catalog that schedules run, and who it belongs to. */
  readonly scheduledProgram: { readonly id: string; readonly ownerId: string };
}

/** A run that a server has answered for. */
export interface Accepted {
  readonly id: string;
  readonly program: Program;
  readonly token: string;
  readonly what: string;
  /** Somebody asked for its end, and was answered with this status; `unanswered`: a request before that one may have been taken, its answer was lost. */
  readonly cancelled?: number | "unanswered";
  readonly reading?: Reading;
}

/** What one round has asked for. */
export interface Asked {
  readonly accepted: readonly Accepted[];
  /** Requests that were refused or broke off: nothing was promised. */
  readonly refused: number;
  /** Of every program that was sent, whether it was answered or not. */
  readonly tokens: readonly string[];
  /** Idempotency keys, each with the runs that it was answered with. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
  readonly scheduleId: string;
  /** Answers that no fault excuses. */
  readonly problems: readonly string[];
}

/** How long anything may take before it counts as lost. */
export const patienceMs = 120_000;

/** The requests of a round come within so long. */
export const spreadMs = 800;

/** The mixed load of one round. Resolves when every request is answered and every reader has come to an end. */
export async function perform(ground: Ground, random: () => number): Promise<Asked> {
  const { installation, effects, limitedKey } = ground;
  const signal = AbortSignal.timeout(patienceMs);
  const keys = new Map<string, readonly string[]>();
  const tokens: string[] = [];
  const problems: string[] = [];
  let refused = 0;
  const asked = () => installation.nodes.filter((node) => node.isAsked);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const plans: { readonly delayMs: number; readonly begin: () => Promise<Accepted | null> }[] = [];
  const plan = (begin: (node: Node) => Promise<Accepted | null>) => {
    const node = pick(asked());
    plans.push({ delayMs: random() * spreadMs, begin: () => begin(node) });
  };
  /** Asks once; null: nothing was promised. */
  const submit = async (node: Node, program: Program, more: object = {}, headers = {}, path = "/api/v1/runs") => {
    const token = newId("run");
    tokens.push(token);
    const body = { ...inputOf(program, effects.address, token), ...more };
    const run = await answered(installation.call(node, "POST", path, { body, headers, signal }), problems);
    if (run === null) refused += 1;
    return run === null ? null : { id: run.id, program, token };
  };
  const simple = (what: string, program: Program, more: object = {}, headers = {}, path?: string) =>
    plan(async (node) => {
      const run = await submit(node, program, more, headers, path);
      return run === null ? null : { ...run, what };
    });
  const followed = (program: Program) =>
    plan(async (node) => {
      const run = await submit(node, program);
      return run === null ? null : { ...run, what: "followed", reading: await readToTheEnd(installation, node, run.id, signal) };
    });
  const cancelled = (afterMs: number) =>
    plan(async (node) => {
      const run = await submit(node, programs.endless);
      if (run === null) return null;
      await sleep(afterMs);
      return { ...run, what: "cancelled", cancelled: await cancel(installation, asked, run.id, signal) };
    });

  for (const program of [programs.short, programs.short, programs.python, programs.node]) simple("short", program);
  for (const program of [programs.python, programs.short]) simple("waited for", program, {}, {}, "/api/v1/executions?wait=true");
  for (const program of [programs.long, programs.long, programs.short]) followed(program);
  simple("with an artifact", programs.artifact);
  for (let count = 0; count < 4; count += 1) simple("behind a limit", programs.resting, {}, { authorization: `Bearer ${limitedKey}` });
  for (const afterMs of [random() * 300, 300 + random() * 700]) cancelled(afterMs);
  simple("delayed", programs.short, { startAt: new Date(Date.now() + spreadMs + random() * 700).toISOString() });
  plan(async () => {
    const [key, token] = [newId("once"), newId("run")];
    tokens.push(token);
    const body = inputOf(programs.short, effects.address, token);
    const ids = await Promise.all(asked().map((node) => submitUntilAnswered(installation, node, asked, key, body, signal, problems)));
    const known = [...new Set(ids.filter((id) => id !== null))];
    keys.set(key, known);
    const [id] = known;
    return id === undefined ? null : { id, program: programs.short, token, what: "by key" };
  });

  const scheduleId = await insertSchedule(ground);
  const accepted = await Promise.all(
    plans.map(async ({ delayMs, begin }) => {
      await sleep(delayMs);
      return await begin();
    }),
  );
  return { accepted: accepted.filter((run) => run !== null), refused, tokens, keys, scheduleId, problems };
}

/** The run that a request was answered with; null for a refusal, and for no answer. */
async function answered(request: Promise<Response>, problems: string[]): Promise<Run | null> {
  const response = await request.catch(() => null);
  const text = await response?.text().catch(() => null);
  if (response === null || text == null) return null;
  if (response.status === 200 || response.status === 202) return Run.parse(JSON.parse(text));
  // A server that stops or has no database refuses; anything else would be wrong.
  if (response.status !== 503 && !text.includes("idempotency_in_progress")) problems.push(`answered with ${response.status}: ${text}`);
  return null;
}

/** Sends the same request with the same key, to any server, until one answers for it. */
async function submitUntilAnswered(
  { call }: Installation,
  first: Node,
  nodes: () => readonly Node[],
  key: string,
  body: object,
  signal: AbortSignal,
  problems: string[],
): Promise<string | null> {
  const order = [first, ...nodes().filter((node) => node !== first)];
  for (let turn = 0; !signal.aborted; turn += 1) {
    const node = order[turn % order.length] ?? first;
    const request = call(node, "POST", "/api/v1/runs", { body, headers: { "idempotency-key": key }, signal });
    const run = await answered(request, problems);
    if (run !== null) return run.id;
    await sleep(100);
  }
  return null;
}

/** Asks for the end of a run, whichever server answers. A server that is killed between taking it and answering makes a second request meet its own end. */
async function cancel(
  { call }: Installation,
  nodes: () => readonly Node[],
  id: string,
  signal: AbortSignal,
): Promise<NonNullable<Accepted["cancelled"]>> {
  let isUnanswered = false;
  for (let turn = 0; !signal.aborted; turn += 1) {
    const order = nodes();
    const node = order[turn % order.length];
    const response = node === undefined ? null : await call(node, "POST", `/api/v1/runs/${id}/cancel`, { signal }).catch(() => null);
    await response?.arrayBuffer().catch(() => {});
    if (response?.status === 202) return response.status;
    if (response?.status === 409) return isUnanswered ? "unanswered" : response.status;
    isUnanswered ||= node !== undefined && (response === null || response.status >= 500);
    await sleep(50);
  }
  return 0;
}

/** A schedule of which one time has come: it has one run. */
async function insertSchedule({ installation, scheduledProgram: { id, ownerId } }: Ground): Promise<string> {
  const scheduleId = newId("schedule");
  await installation.query(
    `insert into schedules (id, owner_id, name, program_id, run, cron, time_zone, overlap, missed, next_at)
     values ($1, $2, 'Once', $3, '{}', '@yearly', 'UTC', 'skip', 'once', now() - interval '366 days')`,
    [scheduleId, ownerId, id],
  );
  return scheduleId;
}

/** For so long a record may be on its way to a database that has just come back. */
const recordingMs = 10_000;

/** The run as any server shows it once it has ended. */
export async function endOf({ nodes, call }: Installation, id: string, signal: AbortSignal): Promise<Run | "lost" | "unknown"> {
  const began = performance.now();
  for (let turn = 0; !signal.aborted; turn += 1) {
    const node = nodes[turn % nodes.length];
    const response =
      node === undefined || node.url === "" ? null : await call(node, "GET", `/api/v1/runs/${id}`, { signal }).catch(() => null);
    if (response?.status === 404 && performance.now() - began > recordingMs) return "unknown";
    const body: unknown = await response?.json().catch(() => null);
    const run = response?.status === 200 ? Run.safeParse(body) : null;
    if (run?.success === true && isFinal(run.data.status)) return run.data;
    await sleep(50);
  }
  return "lost";
}
