import { createHash } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunEvent } from "@syla/contracts/runs";
import { execute, followRun, getRun, readEvents, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const shape = (event: RunEvent) => (event.type === "log" ? event.stream : event.type === "status" ? event.status : "end");
const textOf = (events: readonly RunEvent[], stream = "stdout") =>
  events.map((event) => (event.type === "log" && event.stream === stream ? event.text : "")).join("");
const numbers = (events: readonly RunEvent[]) => events.map((event) => event.seq);
const upTo = (last: number, first = 1) => Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
const follow = async (id: string, after?: number) => await Array.fromAsync(followRun(server, id, after === undefined ? {} : { after }));

/** Prints lines, some time apart. */
const ticking = (lines: number, seconds: number) => `import time\nfor i in range(${lines}):\n  print('line', i)\n  time.sleep(${seconds})`;

describe("the events of a run", () => {
  it("come live, numbered from 1, and end with the finished run", async () => {
    const run = await submit(server, { language: "python", code: ticking(5, 0.1) });
    const seen: RunEvent[] = [];
    let sawLive = false;
    for await (const event of followRun(server, run.id)) {
      seen.push(event);
      if (event.type === "log" && (await getRun(server, run.id)).finishedAt === null) sawLive = true;
    }
    expect(sawLive).toBe(true);
    expect(numbers(seen)).toEqual(upTo(seen.length));
    expect(shape(seen.at(-1) as RunEvent)).toBe("end");
    expect(seen.map(shape).slice(0, 3)).toEqual(["queued", "starting", "running"]);
    expect(textOf(seen)).toBe("line 0\nline 1\nline 2\nline 3\nline 4\n");
    const end = seen.at(-1);
    expect(end?.type === "end" && end.run).toEqual(await getRun(server, run.id));
  });

  it("are the same afterwards, and resume at every position with neither gap nor double", async () => {
    const code =
      "import sys, time\nfor i in range(12):\n  print(i, file=sys.stderr if i % 3 == 0 else sys.stdout, flush=True)\n  time.sleep(0.02)";
    const run = await submit(server, { language: "python", code });
    const live = await follow(run.id);
    expect(live.length).toBeGreaterThan(8);
    expect(await follow(run.id)).toEqual(live);
    for (let after = 0; after < live.length; after++) expect(await follow(run.id, after)).toEqual(live.slice(after));
    // After the end there is only an end, so that a reader that comes back learns the result.
    expect((await follow(run.id, live.length + 50)).map(shape)).toEqual(["end"]);
  });

  it("resume at every position while the run is going on", async () => {
    const run = await submit(server, { language: "python", code: ticking(30, 0.02) });
    const readers = Array.from({ length: 12 }, async (_, after) => {
      await sleep(after * 25);
      return { after, events: await follow(run.id, after) };
    });
    const all = await follow(run.id);
    for (const { after, events } of await Promise.all(readers)) expect(events).toEqual(all.slice(after));
  });

  it("survive a connection that breaks again and again", async () => {
    const run = await submit(server, { language: "python", code: ticking(40, 0.02) });
    const seen: RunEvent[] = [];
    while (seen.at(-1)?.type !== "end") {
      const cut = new AbortController();
      try {
        for await (const event of followRun(server, run.id, { after: seen.length, signal: cut.signal })) {
          seen.push(event);
          if (seen.length % 4 === 0) cut.abort();
        }
      } catch (error) {
        if (!cut.signal.aborted) throw error;
      }
    }
    expect(numbers(seen)).toEqual(upTo(seen.length));
    expect(textOf(seen)).toBe(Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join(""));
  });

  it("of a run that ended tell all of it, also when it failed", async () => {
    const run = await execute(server, { language: "bash", code: "echo out; sleep 0.05; echo err >&2; exit 7" });
    const events = await follow(run.id);
    expect(events.map(shape)).toEqual(["queued", "starting", "running", "stdout", "stderr", "end"]);
    expect(events.at(-1)).toMatchObject({ run: { status: "failed", exitCode: 7, error: { code: "nonzero_exit" } } });
  });

  it("carry the answer's own headers", async () => {
    const run = await execute(server, { language: "bash", code: "true" });
    const response = await server.fetch(`/api/v1/runs/${run.id}/events`);
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    await response.text();
  });
});

function open(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(server.url + path, { headers: { authorization: `Bearer ${server.localKey}`, ...headers } }, resolve).once("error", reject);
  });
}

describe("a reader of much output", () => {
  const line = "0123456789abcdef".repeat(64);
  const lines = 50_000;
  const program = `import sys\nfor i in range(${lines}): sys.stdout.write(${JSON.stringify(line)} + '\\n')`;
  const hashOf = (chunks: readonly string[]) => {
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    return hash.digest("hex");
  };
  const expected = hashOf([`${line}\n`.repeat(lines)]);

  it("may be slow or go away: the run does not wait, and the slow one gets all of it", async () => {
    const run = await submit(server, { language: "python", code: program, limits: { outputBytes: 64 * 1024 * 1024 } });
    const slow = await open(`/api/v1/runs/${run.id}/events`);
    slow.pause(); // reads nothing until the run is over
    for (let reader = 0; reader < 3; reader++) {
      const leaving = await open(`/api/v1/runs/${run.id}/events`);
      leaving.on("error", () => {}).once("data", () => leaving.destroy());
    }
    const ended = await waitForRun(server, run.id);
    expect(ended).toMatchObject({ status: "succeeded", truncated: false, output: { stdoutBytes: lines * 1025, droppedBytes: 0 } });
    expect(ended.stdout).toHaveLength(65_536);

    const texts: string[] = [];
    let last = 0;
    for await (const event of readEvents(slow as AsyncIterable<Buffer>)) {
      expect(event.seq).toBe(++last);
      if (event.type === "log") texts.push(event.text);
    }
    expect(hashOf(texts)).toBe(expected);

    const log = await server.fetch(`/api/v1/runs/${run.id}/log?stream=stdout`);
    expect(
      createHash("sha256")
        .update(Buffer.from(await log.arrayBuffer()))
        .digest("hex"),
    ).toBe(expected);
  });
});

describe("many readers of a run", () => {
  it("get the same, byte for byte, though some are slow, one never reads and some come and go", async () => {
    const lines = 600;
    const run = await submit(server, {
      language: "python",
      code: `import time\nfor i in range(${lines}):\n  print(i, flush=True)\n  time.sleep(0.001)`,
    });
    const path = `/api/v1/runs/${run.id}/events`;
    const silent = await open(path);
    silent.on("error", () => {}).pause();
    const readAll = async (pauseMs: number) => {
      const pieces: Buffer[] = [];
      for await (const piece of (await open(path)) as AsyncIterable<Buffer>) {
        pieces.push(piece);
        if (pauseMs > 0) await sleep(pauseMs);
      }
      return Buffer.concat(pieces).toString();
    };
    const comeAndGo = async () => {
      let text = "";
      for (let after = 0; !text.includes("event: end\n");) {
        const response = await open(path, { "last-event-id": String(after) });
        response
          .on("error", () => {})
          .once("data", (piece: Buffer) => {
            const whole = piece.subarray(0, piece.lastIndexOf("\n\n") + 2).toString();
            text += whole;
            after = Number(/.*^id: (\d+)$/ms.exec(whole)?.[1] ?? after);
            response.destroy();
          });
        await once(response, "close");
      }
      return text;
    };
    const readers = [...Array.from({ length: 50 }, () => readAll(0)), readAll(40), readAll(40), comeAndGo(), comeAndGo()];
    const [first = "", ...others] = await Promise.all(readers);
    silent.destroy();
    expect(new Set(others)).toEqual(new Set([first]));
    const events = await Array.fromAsync(readEvents(Readable.from([Buffer.from(first)])));
    expect(numbers(events)).toEqual(upTo(events.length));
    expect(textOf(events)).toBe(Array.from({ length: lines }, (_, line) => `${line}\n`).join(""));
    expect(await readAll(0)).toBe(first);
  });
});

describe("the log", () => {
  const download = async (id: string, query: string) =>
    Buffer.from(await (await server.fetch(`/api/v1/runs/${id}/log${query}`)).arrayBuffer());

  it("is the program's bytes, whatever they are", async () => {
    const code =
      "import sys\nall = bytes(range(256)) * 300\nfor i in range(0, len(all), 1000):\n  sys.stdout.buffer.write(all[i:i+1000])\n  sys.stdout.buffer.flush()\nsys.stderr.buffer.write(b'\\xe2\\x82')";
    const run = await execute(server, { language: "python", code });
    const bytes = Buffer.alloc(256 * 300, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    expect(run.status).toBe("succeeded");
    expect(await download(run.id, "?stream=stdout")).toEqual(bytes);
    expect(await download(run.id, "?stream=stderr")).toEqual(Buffer.from([0xe2, 0x82]));
    expect((await download(run.id, "")).length).toBe(bytes.length + 2);
    expect(run.stdout.isWellFormed()).toBe(true);
    const events = await follow(run.id);
    expect(textOf(events, "stderr")).toBe("\u{fffd}");
  });

  it("tears no character of the text apart, wherever the program's writes end", async () => {
    const text = "aé€🙂".repeat(200);
    const code = `import sys\ndata = ${JSON.stringify(text)}.encode()\nfor b in data:\n  sys.stdout.buffer.write(bytes([b]))\n  sys.stdout.buffer.flush()`;
    const run = await submit(server, { language: "python", code });
    expect(textOf(await follow(run.id))).toBe(text);
  });

  it("can be had as events, one a line", async () => {
    const run = await execute(server, { language: "bash", code: "echo out; echo err >&2" });
    const response = await server.fetch(`/api/v1/runs/${run.id}/log?format=jsonl`);
    expect(response.headers.get("content-disposition")).toContain(`${run.id}.jsonl`);
    const events = (await response.text())
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as RunEvent);
    expect(events).toEqual((await follow(run.id)).slice(0, -1));
  });

  it("of a run that goes on is what there is so far", async () => {
    const run = await submit(server, { language: "bash", code: "echo early; sleep 1" });
    await expect.poll(async () => (await download(run.id, "")).toString()).toBe("early\n");
    expect((await getRun(server, run.id)).stdout).toBe("early\n");
    await server.send("POST", `/api/v1/runs/${run.id}/cancel`);
    expect((await waitForRun(server, run.id)).status).toBe("cancelled");
    expect((await download(run.id, "")).toString()).toBe("early\n");
  });
});
