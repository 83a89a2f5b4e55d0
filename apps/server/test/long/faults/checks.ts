import { setTimeout as sleep } from "node:timers/promises";
import type { Run, RunTransition } from "@syla/contracts/runs";
import { findProcesses } from "@syla/testkit/processes";
import { holdings, isAlive, processesThatSee } from "@syla/testkit/host-state";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "./faults.ts";
import type { Installation } from "./installation.ts";
import { endOf, patienceMs, type Accepted, type Asked, type Ground } from "./load.ts";

/** What became of one round. */
export interface Outcome {
  readonly accepted: number;
  readonly ended: number;
  readonly succeeded: number;
  readonly cancelled: number;
  /** Failed, and the fault excuses it. */
  readonly failed: number;
  /** Runs that had another attempt. */
  readonly retried: number;
  readonly problems: readonly string[];
}

const legalSteps: Readonly<Record<string, readonly string[]>> = {
  queued: ["starting", "cancelled", "failed"],
  starting: ["running", "queued", "failed", "cancelled", "timed_out"],
  // A program that takes milliseconds has ended before anybody writes that it runs.
  running: ["succeeded", "failed", "cancelled", "timed_out", "queued"],
};

/** Looks at everything that a round has promised, from outside. */
export async function examine(ground: Ground, fault: Fault, asked: Asked): Promise<Outcome> {
  const { installation, effects } = ground;
  const signal = AbortSignal.timeout(patienceMs);
  const problems = [...asked.problems];
  const ends = await Promise.all(
    asked.accepted.map(async (one) => {
      const run = await endOf(installation, one.id, signal);
      if (typeof run === "string") problems.push(`${one.what} ${one.id} is ${run}`);
      else
        for (const problem of await examineRun(ground, fault, one, run)) problems.push(`${one.what} ${one.id} (${run.status}) ${problem}`);
      return run;
    }),
  );
  for (const token of asked.tokens)
    for (const what of ["began", "done"] as const)
      if (effects.count(what, token) > 1) problems.push(`the program ${token} ${what} ${effects.count(what, token)} times`);
  problems.push(...(await examineKeys(installation, asked)), ...(await examineSchedule(ground, fault, asked, signal)));
  problems.push(...(await examineCounts(installation, signal)));
  const runs = ends.filter((run) => typeof run !== "string");
  const count = (status: Run["status"]) => runs.filter((run) => run.status === status).length;
  return {
    accepted: asked.accepted.length,
    ended: runs.length,
    succeeded: count("succeeded"),
    cancelled: count("cancelled"),
    failed: count("failed"),
    retried: runs.filter((run) => run.attempt > 1).length,
    problems,
  };
}

async function examineRun(ground: Ground, fault: Fault, one: Accepted, run: Run): Promise<string[]> {
  const { installation, effects } = ground;
  const problems: string[] = [];
  const say = (problem: string | null) => void (problem !== null && problems.push(problem));
  const { program, token, cancelled, reading } = one;
  const whole = program.prints(token);
  const log = await textOf(installation, `/api/v1/runs/${run.id}/log?stream=stdout`);
  if (run.status === "succeeded") {
    if (cancelled === 202) say("goes on for minutes, and has succeeded");
    if (log !== whole) say(`has the log ${JSON.stringify(log)}`);
    if (program.isCounted && effects.count("done", token) !== 1) say(`was done ${effects.count("done", token)} times`);
    if (program.artifact === true) say(await examineArtifact(installation, run, token));
  } else if (run.status === "cancelled") {
    if (cancelled !== 202 && cancelled !== "unanswered") say("was not to be cancelled");
  } else say(await excuseOf(installation, fault, run));
  if (reading !== undefined) {
    for (const problem of reading.problems) say(problem);
    if (!reading.isEnded) say("was never shown to its end");
    if (run.status === "succeeded" && reading.text !== whole) say("was not shown whole");
    if (!whole.startsWith(reading.text)) say(`was shown as ${JSON.stringify(reading.text)}`);
    if (log?.startsWith(reading.text) !== true) say(`had shown ${reading.text.length} characters, and has ${log?.length ?? 0} of them`);
  }
  say(await examineHistory(installation, run));
  return problems;
}

/** Null when the fault explains how a run has failed. */
async function excuseOf({ query }: Installation, fault: Fault, run: Run): Promise<string | null> {
  const told = `failed: ${JSON.stringify(run.error)} in attempt ${run.attempt}`;
  if (run.status !== "failed" || run.error?.class !== "infrastructure") return told;
  if (run.error.code === "sandbox_failed" && fault.breaksSandboxes) return null;
  if (run.error.code !== "worker_lost" || fault.killedPid === null) return told;
  const [worker] = await query<{ pid: number }>("select w.pid from runs r join workers w on w.id = r.worker_id where r.id = $1", [run.id]);
  return worker?.pid === fault.killedPid ? null : `${told}, of a worker that was not killed`;
}

async function examineArtifact(installation: Installation, run: Run, token: string): Promise<string | null> {
  const listed = await textOf(installation, `/api/v1/runs/${run.id}/artifacts`);
  const { items } = JSON.parse(listed ?? `{"items":[]}`) as { items: { id: string }[] };
  const [first] = items;
  const content = first === undefined ? null : await textOf(installation, `/api/v1/runs/${run.id}/artifacts/${first.id}`);
  return items.length === 1 && content === `${token}\n` ? null : `has the artifacts ${listed ?? ""} with ${JSON.stringify(content)}`;
}

async function examineHistory(installation: Installation, run: Run): Promise<string | null> {
  const text = await textOf(installation, `/api/v1/runs/${run.id}/transitions`);
  const { items } = JSON.parse(text ?? `{"items":[]}`) as { items: RunTransition[] };
  const isLegal =
    items[0]?.status === "queued" &&
    items.at(-1)?.status === run.status &&
    items.slice(1).every(({ status }, index) => legalSteps[items[index]?.status ?? ""]?.includes(status) === true);
  return isLegal ? null : `came by ${items.map(({ status, attempt }) => `${status} (${attempt})`).join(", ")}`;
}

async function examineKeys({ query }: Installation, { keys }: Asked): Promise<string[]> {
  const problems: string[] = [];
  for (const [key, ids] of keys) {
    const rows = await query<{ id: string }>("select id from runs where idempotency_key = $1", [key]);
    if (rows.length !== 1 || ids.length !== 1 || rows[0]?.id !== ids[0])
      problems.push(`the key ${key} was answered with ${ids.join(", ")} and has made ${rows.map(({ id }) => id).join(", ")}`);
  }
  return problems;
}

async function examineSchedule({ installation }: Ground, fault: Fault, { scheduleId }: Asked, signal: AbortSignal): Promise<string[]> {
  const find = async () => await installation.query<{ id: string }>("select id from runs where schedule_id = $1", [scheduleId]);
  while ((await find()).length === 0 && !signal.aborted) await sleep(100);
  const rows = await find();
  if (rows.length !== 1) return [`the schedule ${scheduleId} has begun ${rows.length} runs`];
  const run = await endOf(installation, rows[0]?.id ?? "", signal);
  if (typeof run === "string") return [`the run of the schedule ${scheduleId} is ${run}`];
  const problem = run.status === "succeeded" ? null : await excuseOf(installation, fault, run);
  return problem === null ? [] : [`the run ${run.id} of the schedule ${scheduleId} ${problem}`];
}

/** When nothing goes on: what is counted beside the runs agrees with them, and no worker is taken for alive that is dead. */
async function examineCounts({ query, nodes }: Installation, signal: AbortSignal): Promise<string[]> {
  const open = async () => await query<{ id: string; status: string }>("select id, status from runs where finished_at is null");
  while ((await open()).length > 0 && !signal.aborted) await sleep(50);
  const problems = (await open()).map(({ id, status }) => `the run ${id}, of which nobody was told, is still ${status}`);
  const [counts] = await query<{ counted: number; ended: number }>(
    `select (select coalesce(sum(runs), 0)::integer from usage_days) as counted,
      (select count(*)::integer from runs where finished_at is not null) as ended`,
  );
  if (counts?.counted !== counts?.ended) problems.push(`${counts?.ended ?? 0} runs have ended, and ${counts?.counted ?? 0} are counted`);
  const live = async () => await query<{ pid: number }>("select pid from workers where stopped_at is null");
  while ((await live()).length !== nodes.length && !signal.aborted) await sleep(50);
  if ((await live()).length !== nodes.length) problems.push(`${(await live()).length} workers are taken for alive`);
  return problems;
}

/** Of any server that answers; null: none does. */
async function textOf({ nodes, call }: Installation, path: string): Promise<string | null> {
  for (let turn = 0; turn < 60; turn += 1) {
    const node = nodes[turn % nodes.length];
    const response = node === undefined || node.url === "" ? null : await call(node, "GET", path).catch(() => null);
    if (response?.status === 200) {
      const text = await response.text().catch(() => null);
      if (text !== null) return text;
    }
    await sleep(100);
  }
  return null;
}

/** The most runs at once that a key has had while it was looked at. */
export function watchConcurrency({ query }: Installation, limitedKeyId: string): AsyncDisposable & { readonly most: number } {
  const stopping = new AbortController();
  const state = { most: 0 };
  const look = async () => {
    while (!stopping.signal.aborted) {
      const [row] = await query<{ live: number }>(
        "select count(*)::integer as live from runs where api_key_id = $1 and status in ('starting', 'running', 'waiting')",
        [limitedKeyId],
      );
      state.most = Math.max(state.most, row?.live ?? 0);
      await sleep(50);
    }
  };
  const looking = look();
  return {
    get most() {
      return state.most;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await looking;
    },
  };
}

/** What webhooks were told: one delivery for each run that has ended, and each that was sent has arrived under one id. */
export async function examineWebhooks(
  { query }: Installation,
  webhookId: string,
  received: readonly { readonly headers: Readonly<Record<string, string>>; readonly body: string }[],
  waitMs: number,
): Promise<string[]> {
  const signal = AbortSignal.timeout(waitMs);
  const open = async () =>
    await query<{ id: string }>(
      "select id::text from webhook_events union all select id from deliveries where state = 'due' and webhook_id = $1 and lease_until is null",
      [webhookId],
    );
  while ((await open()).length > 0 && !signal.aborted) await sleep(100);
  const problems = (await open()).map(({ id }) => `nobody was told of the event ${id}`);
  const rows = await query<{ id: string; times: number; delivery: string; state: string }>(
    `select r.id, count(d.id)::integer as times, min(d.id) as delivery, min(d.state) as state
     from runs r left join deliveries d on d.webhook_id = $1 and d.message #>> '{payload,data,runId}' = r.id
     where r.kind <> 'analysis' group by r.id`,
    [webhookId],
  );
  const arrived = new Map<string, Set<string>>();
  for (const { headers, body } of received) {
    const { data } = JSON.parse(body) as { data: { runId?: string } };
    if (data.runId !== undefined) arrived.set(data.runId, (arrived.get(data.runId) ?? new Set()).add(headers["webhook-id"] ?? ""));
  }
  for (const { id, times, delivery, state } of rows) {
    if (times !== 1) problems.push(`${times} deliveries tell of the run ${id}`);
    const ids = [...(arrived.get(id) ?? [])];
    if (state === "sent" && (ids.length !== 1 || ids[0] !== delivery)) problems.push(`${id} arrived as ${ids.join(", ")}, not ${delivery}`);
  }
  return problems;
}

/** Once everything is stopped: nothing of it is left on the machine. */
export async function examineHost({ folder, nodes, pids }: Installation): Promise<string[]> {
  for (let tries = 200; tries > 0 && processesThatSee(join(folder, "")).some(isAlive); tries -= 1) await sleep(50);
  const nameOf = ({ pid, arguments: words }: { pid: number; arguments: readonly string[] }) => `${pid} ${words.join(" ").slice(0, 200)}`;
  const servers = nodes.flatMap(({ dataDir }) => findProcesses(dataDir)).map(nameOf);
  const { mounts, groups } = holdings(folder, pids);
  const left = nodes.flatMap(({ dataDir }) =>
    ["sandboxes", "spool"].flatMap((name) => (existsSync(join(dataDir, name)) ? readdirSync(join(dataDir, name)) : [])),
  );
  return [
    ...servers.map((text) => `the process ${text} is left`),
    ...processesThatSee(`${folder}/`)
      .filter(isAlive)
      .map((pid) => `the process ${pid} still sees the folder`),
    ...mounts.map((text) => `the mount ${text} is left`),
    ...groups.map((path) => `the group ${path} is left`),
    ...left.map((name) => `${name} is left of a sandbox or a log`),
  ];
}
