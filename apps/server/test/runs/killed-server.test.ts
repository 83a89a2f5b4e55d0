import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isFinal, Run, type RunEvent } from "@syla/contracts/runs";
import { prepareCluster } from "@syla/testkit/cluster";
import { findProcesses } from "@syla/testkit/processes";
import { readEvents } from "@syla/testkit/runs";
import { spawnServer, type ServerProcess } from "@syla/testkit/server-process";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

describe("a server that is killed in the middle of its work", () => {
  let directory: TemporaryDirectory;
  let dataDir: string;
  beforeEach(async () => {
    directory = createTemporaryDirectory();
    dataDir = join(directory.path, "data");
    await prepareCluster(dataDir);
  });
  afterEach(() => directory[Symbol.dispose]());

  const start = (slots = 8): ServerProcess => spawnServer(dataDir, { SYLA_WORKER_SLOTS: String(slots), SYLA_LOG_LEVEL: "warn" });
  const call = async (url: string, path: string, init: RequestInit = {}) =>
    await fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`, "content-type": "application/json" },
    });
  const submit = async (url: string, input: object) => {
    const response = await call(url, "/api/v1/runs", { method: "POST", body: JSON.stringify(input) });
    expect(response.status).toBe(202);
    return Run.parse(await response.json());
  };
  const get = async (url: string, id: string) => Run.parse(await (await call(url, `/api/v1/runs/${id}`)).json());
  const logOf = async (url: string, id: string) => await (await call(url, `/api/v1/runs/${id}/log`)).text();
  const ended = async (url: string, id: string) => {
    for (;;) {
      const run = await get(url, id);
      if (isFinal(run.status)) return run;
      await sleep(30);
    }
  };

  const succeeded = { status: "succeeded", exitCode: 0, artifactCount: 1, error: null };
  const lost = { status: "failed", exitCode: null, artifactCount: 0, error: { class: "infrastructure", code: "worker_lost" } };

  /** Says when it began and when it ended: a program that ran twice, or after it was called lost, shows. */
  const program = (seconds: number | string) => ({
    language: "bash",
    code: `echo "began $(cat /proc/sys/kernel/random/uuid)"; sleep ${seconds}; echo ended; echo done > /output/done`,
  });
  /** Seconds that no other test sleeps, and more than this one lasts. */
  const long = `98765.${process.pid}`;

  it("leaves twenty runs in a truthful state each, none run twice, and nothing running", async () => {
    await using first = start();
    const url = await first.ready();
    const quick = await submit(url, program(0));
    expect((await ended(url, quick.id)).status).toBe("succeeded");
    const some = async (count: number, seconds: number | string) =>
      await Promise.all(Array.from({ length: count }, async () => await submit(url, program(seconds))));
    const runs = [...(await some(8, long)), ...(await some(12, 0.1))];
    const states = async () => await Promise.all(runs.map((run) => get(url, run.id)));
    while ((await states()).filter((run) => run.stdout.startsWith("began")).length < 8) await sleep(30);
    await sleep(400); // what was shown has been written ahead
    const before = await states();
    expect(before.filter((run) => run.status === "queued")).toHaveLength(12);
    first.child.kill("SIGKILL");
    await first.exited();

    await using second = start();
    const again = await second.ready();
    const after = await Promise.all(runs.map((run) => ended(again, run.id)));
    for (const [index, run] of after.entries()) {
      const log = await logOf(again, run.id);
      const began = log.match(/^began .*$/gm) ?? [];
      expect(began).toHaveLength(1);
      const waited = before[index]?.status === "queued";
      expect(run).toMatchObject({ ...(waited ? succeeded : lost), attempt: 1 });
      expect(log).toBe(waited ? `${began[0]}\nended\n` : before[index]?.stdout);
    }
    // What had ended before stays as it was, and an old run can be followed to its end.
    expect((await get(again, quick.id)).status).toBe("succeeded");
    const example = after.find((run) => run.status === "failed");
    const stream = await call(again, `/api/v1/runs/${example?.id}/events`);
    const events = await Array.fromAsync(readEvents(stream.body ?? new ReadableStream()));
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "end", run: { error: { code: "worker_lost" } } });
    expect(readdirSync(join(dataDir, "spool"))).toEqual([]);

    second.child.kill("SIGTERM");
    expect(await second.exited()).toBe(0);
    expect(findProcesses(dataDir)).toEqual([]);
    expect(findProcesses(long)).toEqual([]);
    expect(existsSync(join(dataDir, "sandboxes")) ? readdirSync(join(dataDir, "sandboxes")) : []).toEqual([]);
  });

  it("ends its sandboxes and its database with it, without another start", async () => {
    await using server = start(2);
    const url = await server.ready();
    const run = await submit(url, { language: "bash", code: `exec sleep ${long}` });
    while ((await get(url, run.id)).status !== "running") await sleep(20);
    await expect.poll(() => findProcesses(long).length).toBeGreaterThan(0);
    server.child.kill("SIGKILL");
    await server.exited();
    await expect.poll(() => [...findProcesses(long), ...findProcesses(dataDir)], { timeout: 20_000 }).toEqual([]);
  });

  it("in the middle of the upload of a dataset leaves nothing of it", async () => {
    await using first = start(1);
    const url = await first.ready();
    // More than what waits on the way, and then it stands still: the server is in the middle of it.
    const parts = ["a,b\n", ...Array.from({ length: 100 }, () => "1,2\n".repeat(20_000))].values();
    const endless = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { value } = parts.next();
        if (value === undefined) return await new Promise<void>(() => {});
        controller.enqueue(Buffer.from(value));
      },
    });
    const upload = fetch(`${url}/api/v1/datasets?name=Killed`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`,
        "content-type": "application/octet-stream",
      },
      body: endless,
      duplex: "half",
    }).catch(() => null);
    const incoming = join(dataDir, "blobs", "incoming");
    await expect.poll(() => readdirSync(incoming)).not.toEqual([]);
    first.child.kill("SIGKILL");
    await Promise.all([first.exited(), upload]);
    await using second = start(1);
    const again = await second.ready();
    expect(readdirSync(incoming)).toEqual([]);
    const listed = await call(again, "/api/v1/assets?type=dataset");
    expect(await listed.json()).toMatchObject({ items: [] });
  });

  it("again and again, at any moment, still loses nothing and runs nothing twice", async () => {
    const ids: string[] = [];
    for (const delay of [0, 250]) {
      await using server = start(3);
      const url = await server.ready();
      for (let index = 0; index < 6; index++) ids.push((await submit(url, program(0.15))).id);
      await sleep(delay);
      server.child.kill("SIGKILL");
      await server.exited();
    }
    await using last = start(3);
    const url = await last.ready();
    for (const id of ids) {
      const run = await ended(url, id);
      const log = await logOf(url, id);
      const began = log.match(/^began/gm)?.length ?? 0;
      expect(began).toBeLessThanOrEqual(1);
      const seen = { ...run, began, saidBye: log.endsWith("ended\n") };
      expect(seen).toMatchObject(run.status === "succeeded" ? { ...succeeded, began: 1, saidBye: true } : lost);
    }
  });
});

describe("a server that is told to stop", () => {
  it("lets what runs finish, leaves what waits in the queue, and runs that after the next start", async () => {
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    await prepareCluster(dataDir);
    const variables = { SYLA_WORKER_SLOTS: "1", SYLA_LOG_LEVEL: "warn" };
    const headers = () => ({
      authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`,
      "content-type": "application/json",
    });
    const submit = async (url: string, code: string) =>
      await fetch(`${url}/api/v1/runs`, { method: "POST", headers: headers(), body: JSON.stringify({ language: "bash", code }) });
    const runOf = async (url: string, id: string) =>
      Run.parse(await (await fetch(`${url}/api/v1/runs/${id}`, { headers: headers() })).json());

    await using first = spawnServer(dataDir, variables);
    const url = await first.ready();
    const running = Run.parse(await (await submit(url, "echo began; sleep 1; echo ended")).json());
    const waiting = Run.parse(await (await submit(url, "echo later")).json());
    const events = await fetch(`${url}/api/v1/runs/${running.id}/events`, { headers: headers() });
    const seen: RunEvent[] = [];
    for await (const event of readEvents(events.body ?? new ReadableStream())) {
      if (event.type === "log" && seen.every((other) => other.type !== "log")) first.child.kill("SIGTERM");
      seen.push(event);
    }
    expect(seen.at(-1)).toMatchObject({ type: "end", run: { status: "succeeded", stdout: "began\nended\n" } });
    expect(await first.exited()).toBe(0);
    expect(findProcesses(dataDir)).toEqual([]);

    await using second = spawnServer(dataDir, { ...variables, SYLA_DRAIN_SECONDS: "0" });
    const again = await second.ready();
    expect(await runOf(again, running.id)).toMatchObject({ status: "succeeded", stdout: "began\nended\n" });
    await expect
      .poll(async () => await runOf(again, waiting.id), { timeout: 20_000 })
      .toMatchObject({ status: "succeeded", stdout: "later\n" });

    // Out of patience: what runs is ended and says so.
    const cut = Run.parse(await (await submit(again, "echo began; sleep 60")).json());
    await expect.poll(async () => (await runOf(again, cut.id)).stdout, { timeout: 20_000 }).toBe("began\n");
    second.child.kill("SIGTERM");
    expect(await second.exited()).toBe(0);
    await using third = spawnServer(dataDir, variables);
    expect(await runOf(await third.ready(), cut.id)).toMatchObject({
      status: "failed",
      stdout: "began\n",
      error: { class: "infrastructure", code: "worker_lost" },
    });
  });
});
