import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LiveRun } from "../../src/runs/live-run.ts";
import { LiveRuns } from "../../src/runs/live-runs.ts";
import { encodeEvent } from "../../src/platform/event-stream.ts";
import { bytesOf, readLines, toEvent, type LogRecord } from "../../src/runs/log-records.ts";

const mebibyte = 1024 * 1024;
setFlagsFromString("--expose-gc");
/** What is left is held; a busy machine collects the rest when it likes. */
const collectGarbage = runInNewContext("gc") as () => void;

describe("LiveRun", () => {
  let directory: TemporaryDirectory;
  let spool: string;
  let live: LiveRun;
  beforeEach(() => {
    directory = createTemporaryDirectory();
    spool = join(directory.path, "run.jsonl");
    live = new LiveRun("run", spool);
  });
  afterEach(async () => {
    await live.discard();
    directory[Symbol.dispose]();
  });

  const content = async () => {
    const lines = live.content();
    return await Array.fromAsync(readLines(Buffer.isBuffer(lines) ? Readable.from([lines]) : lines));
  };
  const text = (records: readonly LogRecord[], stream = "stdout") =>
    Buffer.concat(records.filter((record) => record.type === "log" && record.stream === stream).map(bytesOf)).toString();
  const numbers = (records: readonly LogRecord[]) => records.map((record) => record.seq);
  const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

  /** Writes about `bytes` of numbered lines as a run does, which waits where the disk does not keep up. */
  async function write(bytes: number): Promise<string> {
    const written: string[] = [];
    for (let size = 0, line = 0; size < bytes; line++) {
      const chunk = `${line} ${"x".repeat(30_000)}\n`;
      written.push(chunk);
      size += chunk.length;
      live.output("stdout", Buffer.from(chunk));
      await live.hasRoom();
      if (line % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return written.join("");
  }

  it("numbers status and output in order, and gathers small pieces", async () => {
    live.status("running", null, 1, 5);
    for (const word of ["a", "b", "c"]) live.output("stdout", Buffer.from(word));
    live.output("stderr", Buffer.from("problem"));
    live.output("stdout", Buffer.from("d"));
    await live.close();
    const records = await content();
    expect(
      records.map((record) => [
        record.seq,
        ...(record.type === "log" ? [record.stream, record.text] : record.type === "status" ? [record.status] : []),
      ]),
    ).toEqual([
      [1, "running"],
      [2, "stdout", "abc"],
      [3, "stderr", "problem"],
      [4, "stdout", "d"],
    ]);
    expect(live.lastSeq).toBe(4);
    expect(existsSync(spool)).toBe(false);
  });

  it("puts sequences together that were written in pieces, also across the other stream", async () => {
    const euro = Buffer.from("€");
    live.output("stdout", euro.subarray(0, 1));
    live.output("stderr", Buffer.from("!"));
    live.output("stdout", euro.subarray(1));
    live.output("stdout", euro.subarray(0, 2));
    await live.close();
    const records = await content();
    expect(records.map((record) => (record.type === "log" ? (record.text ?? record.base64) : ""))).toEqual([
      "!",
      "€",
      euro.subarray(0, 2).toString("base64"),
    ]);
  });

  it("shows output soon without being asked", async () => {
    live.output("stdout", Buffer.from("hello"));
    const { value } = await live.follow(0).next();
    expect(value).toMatchObject({ seq: 1, text: "hello" });
  });

  it("gives every follower each event once, wherever and whenever it starts", async () => {
    const early = Array.fromAsync(live.follow(0));
    const written: string[] = [];
    const late: Promise<LogRecord[]>[] = [];
    for (const size of [0.1, 0.2, 0.5, 2]) {
      written.push(await write(size * mebibyte));
      late.push(Array.fromAsync(live.follow(0)), Array.fromAsync(live.follow(live.lastSeq)));
    }
    const middle = Math.floor(live.lastSeq / 2);
    const resumed = Array.fromAsync(live.follow(middle));
    await live.close();
    const all = await content();
    expect(numbers(all)).toEqual(upTo(live.lastSeq));
    expect(text(all)).toBe(written.join(""));
    expect(await early).toEqual(all);
    for (const records of await Promise.all(late)) {
      const first = records[0]?.seq ?? live.lastSeq + 1;
      expect(records).toEqual(all.slice(first - 1));
    }
    expect(await resumed).toEqual(all.slice(middle));
    expect(await Array.fromAsync(live.follow(0))).toEqual(all);
    expect(await Array.fromAsync(live.follow(live.lastSeq))).toEqual([]);
    expect(await Array.fromAsync(live.follow(live.lastSeq + 100))).toEqual([]);
  });

  it("resumes at every single position with neither gap nor double", async () => {
    await write(mebibyte);
    await live.close();
    const all = await content();
    for (let seq = 0; seq <= all.length; seq++) expect(numbers(await Array.fromAsync(live.follow(seq)))).toEqual(upTo(all.length, seq + 1));
  });

  it("lets a follower read slowly while the log outgrows memory", async () => {
    const slow = (async () => {
      const records: LogRecord[] = [];
      for await (const record of live.follow(0)) {
        records.push(record);
        if (record.seq % 8 === 0) await sleep(1);
      }
      return records;
    })();
    await write(4 * mebibyte);
    await live.close();
    expect(await slow).toEqual(await content());
  });

  it("sends the same to any number of followers, who hold nothing of their own", async () => {
    const gone = new AbortController();
    const followers = Array.from({ length: 300 }, () => Array.fromAsync(live.followParts(0, gone.signal)));
    const leaving = live.followParts(0, gone.signal);
    const held = [(await Promise.all([leaving.next(), write(100_000)]))[0].value]; // and takes nothing more
    for (let line = 0; line < 20; line++) {
      live.output("stdout", Buffer.from(`line ${line}\n`));
      await sleep(1);
    }
    await live.close();
    const read = await Promise.all(followers);
    const expected = Buffer.concat((await content()).map((record) => Buffer.from(encodeEvent(toEvent(record)))));
    for (const parts of read) expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(expected)).toBe(true);
    expect(read.every((parts) => parts.every(({ bytes }) => bytes.length < 256 * 1024))).toBe(true);
    const parts = read.flat();
    expect(new Set(parts.map(({ bytes }) => bytes)).size).toBeLessThan(parts.length / 10);
    held.push(...(await Array.fromAsync(leaving)));
    expect(Buffer.concat(held.map((part) => part?.bytes ?? Buffer.alloc(0))).equals(expected)).toBe(true);
  });

  it("keeps 50 MB out of memory", async () => {
    live.output("stdout", Buffer.from("start"));
    collectGarbage();
    const before = process.memoryUsage();
    for (let size = 0; size < 50; size++) await write(mebibyte);
    await live.close();
    collectGarbage();
    const after = process.memoryUsage();
    expect(statSync(spool).size).toBeGreaterThan(50 * 1_000_000);
    const grown = after.heapUsed + after.external - before.heapUsed - before.external;
    expect(grown).toBeLessThan(40 * mebibyte);
  });

  it("writes ahead what was shown, readable by the owner only", async () => {
    live.output("stdout", Buffer.from("precious"));
    await expect.poll(() => (existsSync(spool) ? readFileSync(spool, "utf8") : "")).toContain("precious");
    expect(statSync(spool).mode & 0o777).toBe(0o600);
    await live.close();
    await live.discard();
    expect(existsSync(spool)).toBe(false);
  });

  it("keeps the head of each stream and both ends of the error output", async () => {
    live.output("stdout", Buffer.from("é".repeat(100_000)));
    live.output("stdout", Buffer.from("never"));
    live.output("stderr", Buffer.from(`${"x".repeat(50_000)}end`));
    live.output("stderr", Buffer.from("!"));
    expect(live.stdoutHead).toBe("é".repeat(32_768));
    expect(live.stderrHead).toBe(`${"x".repeat(50_000)}end!`);
    expect(live.stderrEnds).toBe(`${"x".repeat(16_384)}\n${"x".repeat(8188)}end!`);
    live.output("system", Buffer.from("a note"));
    expect(live.stdoutHead + live.stderrHead).not.toContain("note");
  });

  it.each([0, 100, 8192, 8193, 20_000, 24_575, 24_576])("keeps an error output of %i bytes whole, each byte once", (size) => {
    live.output("stderr", Buffer.from("what a compiler said"));
    live.forgetStderr();
    const said = Array.from({ length: size }, (_, index) => String.fromCharCode(97 + (index % 23))).join("");
    for (let at = 0; at < size; at += 1000) live.output("stderr", Buffer.from(said.slice(at, at + 1000)));
    expect(live.stderrEnds).toBe(said);
  });

  it("ends its followers when it is closed or they go away", async () => {
    const gone = new AbortController();
    const seen: number[] = [];
    const aborted = (async () => {
      for await (const { seq } of live.follow(0, gone.signal)) seen.push(seq);
    })();
    const waiting = Array.fromAsync(live.follow(0));
    live.status("running", null, 1);
    await expect.poll(() => seen).toEqual([1]);
    gone.abort();
    await aborted;
    await live.close();
    expect(numbers(await waiting)).toEqual([1]);
  });

  it("fails when its file cannot be written, and does not hang", async () => {
    live = new LiveRun("run", join(directory.path, "missing", "run.jsonl"));
    await write(mebibyte);
    await expect(live.close()).rejects.toThrow("ENOENT");
  });
});

describe("LiveRuns", () => {
  it("tells who waits when a run is opened or closed, and nobody else", async () => {
    using directory = createTemporaryDirectory();
    const runs = new LiveRuns(join(directory.path, "spool"));
    expect(statSync(runs.folder).mode & 0o777).toBe(0o700);
    const never = new AbortController();
    const opened = runs.changed("run_a", 60_000, never.signal);
    const other = runs.changed("run_b", 60_000, never.signal).then(() => "told");
    const run = runs.open("run_a");
    await opened;
    expect(runs.get("run_a")).toBe(run);
    const closed = runs.changed("run_a", 60_000, never.signal);
    runs.close("run_a");
    await closed;
    expect(runs.get("run_a")).toBeUndefined();
    expect(await Promise.race([other, sleep(5, "waits")])).toBe("waits");
    never.abort();
    await other;
    await runs.changed("run_c", 1, new AbortController().signal);
    const again = runs.open("run_a");
    runs.close("run_a", run);
    expect(runs.get("run_a")).toBe(again);
    runs.close("run_a", again);
    expect(runs.get("run_a")).toBeUndefined();
    await again.discard();
    await run.discard();
  });
});
