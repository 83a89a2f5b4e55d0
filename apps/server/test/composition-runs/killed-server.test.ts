import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CreatedComposition } from "@syla/contracts/compositions";
import type { NodeRun } from "@syla/contracts/node-runs";
import { isFinal, type Run } from "@syla/contracts/runs";
import { prepareCluster } from "@syla/testkit/cluster";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { graph, node } from "../compositions/graphs.ts";
import { python } from "./setting.ts";

describe("a server that is killed", () => {
  let directory: TemporaryDirectory;
  let dataDir: string;
  beforeEach(async () => {
    directory = createTemporaryDirectory();
    dataDir = join(directory.path, "data");
    await prepareCluster(dataDir);
  });
  afterEach(() => directory[Symbol.dispose]());

  const start = () => spawnServer(dataDir, { SYLA_WORKER_SLOTS: "2", SYLA_LOG_LEVEL: "warn" });
  const call = async <T>(url: string, method: string, path: string, body?: object): Promise<T> => {
    const key = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "if-match": "*" };
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const begin = async (url: string, drawn: object): Promise<Run> => {
    const { asset } = await call<CreatedComposition>(url, "POST", "/compositions", { name: "Drawn" });
    await call(url, "PUT", `/compositions/${asset.id}/graph`, { graph: drawn });
    return await call<Run>(url, "POST", `/compositions/${asset.id}/runs`, {});
  };
  const until = async (url: string, id: string, enough: (run: Run) => boolean): Promise<Run> => {
    for (;;) {
      const run = await call<Run>(url, "GET", `/runs/${id}`);
      if (enough(run)) return run;
      await sleep(30);
    }
  };
  const nodesOf = async (url: string, id: string) => (await call<{ items: NodeRun[] }>(url, "GET", `/runs/${id}/nodes`)).items;
  const of = (nodes: readonly NodeRun[], wanted: string) => nodes.find(({ path }) => path === wanted);

  it("keeps who has to decide, and what was computed until then", { timeout: 180_000 }, async () => {
    const waits = graph(
      [
        node("in", "input", { name: "a", default: 1 }),
        node("before", "code", python("import uuid\nprint('before')\nreturn str(uuid.uuid4())", ["v"])),
        node("ask", "approval", { message: "Good?" }),
        node("after", "code", python("print('after')\nreturn v", ["v"])),
        node("out", "output", { name: "z" }),
      ],
      "in.value -> before.v",
      "before.result -> ask.value",
      "ask.approved -> after.v",
      "after.result -> out.value",
    );
    await using first = start();
    const url = await first.ready();
    const { id } = await begin(url, waits);
    await until(url, id, ({ status }) => status === "waiting" || isFinal(status));
    const before = await nodesOf(url, id);
    expect(of(before, "ask")?.state).toBe("waiting");
    first.child.kill("SIGKILL");
    await first.exited();

    await using second = start();
    const again = await second.ready();
    await sleep(1000); // whatever it does with what the one before has left, it has done by then
    expect((await call<Run>(again, "GET", `/runs/${id}`)).status).toBe("waiting");
    expect(await nodesOf(again, id)).toEqual(before);
    await call(again, "POST", `/runs/${id}/decisions`, { path: "ask", approved: true });
    const done = await until(again, id, ({ status }) => isFinal(status));
    expect({ status: done.status, error: done.error }).toEqual({ status: "succeeded", error: null });
    const after = await nodesOf(again, id);
    expect(of(after, "before")).toEqual(of(before, "before"));
    const value = (of(before, "before")?.output as { value: { result: string } } | undefined)?.value.result;
    expect(of(after, "out")?.output).toEqual({ value: { value: value } });
    expect(done.stdout.match(/before|after/g)).toEqual(["before", "before", "after", "after"]); // each with its tag
  });

  it("keeps every line, before and after somebody has decided, once and in order", { timeout: 400_000 }, async () => {
    const says = (word: string, more = "") =>
      python(`import sys, time\nfor n in range(300):\n    print("${word}", n)\nprint("${word} err", file=sys.stderr)\n${more}return v`, [
        "v",
      ]);
    const talks = graph(
      [
        node("in", "input", { name: "a", default: 1 }),
        node("before", "code", says("before")),
        node("ask", "approval", { message: "Good?" }),
        node("between", "code", says("between")),
        node("again", "approval", { message: "Still good?" }),
        node("after", "code", says("after", 'sys.stdout.flush()\nprint("last", flush=True)\ntime.sleep(250)\n')),
        node("out", "output", { name: "z" }),
      ],
      "in.value -> before.v",
      "before.result -> ask.value",
      "ask.approved -> between.v",
      "between.result -> again.value",
      "again.approved -> after.v",
      "after.result -> out.value",
    );
    const linesOf = async (url: string, id: string) => {
      const key = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
      const answer = await fetch(`${url}/api/v1/runs/${id}/log?format=lines`, { headers: { authorization: `Bearer ${key}` } });
      const lines = (await answer.text()).split("\n").filter((line) => line !== "");
      return lines.map((line) => JSON.parse(line) as { number: number; stream: string; nodeId: string | null; text: string });
    };
    const said = (word: string) => Array.from({ length: 300 }, (_, n) => `${word}: ${word} ${n}`);
    const spoken = (lines: Awaited<ReturnType<typeof linesOf>>, stream: string) =>
      lines.flatMap((line) => (line.stream === stream ? [`${line.nodeId ?? ""}: ${line.text}`] : []));

    await using first = start();
    const url = await first.ready();
    const { id } = await begin(url, talks);
    await until(url, id, ({ status }) => status === "waiting" || isFinal(status));
    first.child.kill("SIGKILL");
    await first.exited();

    await using second = start();
    const again = await second.ready();
    expect(spoken(await linesOf(again, id), "stdout")).toEqual(said("before"));
    await call(again, "POST", `/runs/${id}/decisions`, { path: "ask", approved: true });
    await until(again, id, ({ status, attempt }) => (status === "waiting" && attempt === 2) || isFinal(status));
    await call(again, "POST", `/runs/${id}/decisions`, { path: "again", approved: true });
    const all = [...said("before"), ...said("between"), ...said("after"), "after: last"];
    for (let lines: string[] = []; lines.at(-1) !== "after: last"; lines = spoken(await linesOf(again, id), "stdout")) await sleep(50);
    // Whoever follows is only shown what the server has on its disk.
    const shown = new AbortController();
    const key = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
    const events = await fetch(`${again}/api/v1/runs/${id}/events`, { headers: { authorization: `Bearer ${key}` }, signal: shown.signal });
    let followed = "";
    for await (const chunk of events.body as AsyncIterable<Uint8Array>) {
      followed += Buffer.from(chunk).toString("latin1");
      if (followed.includes("last\\n")) break;
    }
    shown.abort();
    second.child.kill("SIGKILL");
    await second.exited();

    await using third = start();
    const last = await third.ready();
    const lost = await until(last, id, ({ status }) => isFinal(status));
    expect(lost).toMatchObject({ status: "failed", error: { code: "worker_lost" }, attempt: 3 });
    const lines = await linesOf(last, id);
    expect(spoken(lines, "stdout")).toEqual(all);
    expect(spoken(lines, "stderr")).toEqual(["before: before err", "between: between err", "after: after err"]);
    expect(lines.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1));
  });

  it("loses the node that ran, and nothing that had ended: the next run goes on from there", { timeout: 180_000 }, async () => {
    const slow = graph(
      [
        node("in", "input", { name: "a", default: 1 }),
        node("first", "code", python("import uuid\nreturn str(uuid.uuid4())", ["v"])),
        node("second", "code", python("import time\ntime.sleep(8)\nreturn v", ["v"])),
        node("out", "output", { name: "z" }),
      ],
      "in.value -> first.v",
      "first.result -> second.v",
      "second.result -> out.value",
    );
    await using first = start();
    const url = await first.ready();
    const { id, composition } = await begin(url, slow);
    while (of(await nodesOf(url, id), "second")?.state !== "running") await sleep(30);
    const value = of(await nodesOf(url, id), "first")?.output;
    first.child.kill("SIGKILL");
    await first.exited();

    await using second = start();
    const again = await second.ready();
    const lost = await until(again, id, ({ status }) => isFinal(status));
    expect(lost).toMatchObject({ status: "failed", error: { class: "infrastructure", code: "worker_lost" } });
    const nodes = await nodesOf(again, id);
    expect([of(nodes, "first")?.state, of(nodes, "second")?.state, of(nodes, "second")?.error?.failureOf]).toEqual([
      "succeeded",
      "failed",
      "sandbox",
    ]);
    const { id: next } = await call<Run>(again, "POST", `/compositions/${composition?.id ?? ""}/runs`, { restartOf: id });
    expect((await until(again, next, ({ status }) => isFinal(status))).status).toBe("succeeded");
    const went = await nodesOf(again, next);
    expect(of(went, "first")).toMatchObject({ state: "reused", reusedFrom: id, output: value });
  });
});
