import { gunzipSync } from "node:zlib";
import { get, type IncomingMessage } from "node:http";
import type { FoundLines } from "@syla/contracts/log-search";
import type { LogLine } from "@syla/contracts/log-lines";
import { execute, followRun, submit } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { matcherOf, readLogLines, searchLog } from "../../src/runs/log-search.ts";

let server: TestServer;
let id: string;

const code = `
import sys
print("\\033[32mINFO:app:started\\033[0m", flush=True)
for n in range(300): print("line", n)
sys.stdout.flush()
print("ERROR:app:it broke", file=sys.stderr)
print("  with more of it", file=sys.stderr)
print("\\033]6277;node=n1\\007WARNING:app:of a node")
print("no end", end="")
`;

beforeAll(async () => {
  server = await startTestServer();
  ({ id } = await execute(server, { language: "python", code }));
});
afterAll(() => server[Symbol.asyncDispose]());

const search = async (query: string, run = id) => await server.fetch(`/api/v1/runs/${run}/log/lines?${query}`);
const find = async (query: string, run = id) => (await (await search(query, run)).json()) as FoundLines;
const texts = ({ items }: FoundLines) => items.map(({ text }) => text);
const download = async (query: string) => await (await server.fetch(`/api/v1/runs/${id}/log?${query}`)).text();

describe("the search of a log", () => {
  it("finds text and patterns, with their places, and counts them", async () => {
    const found = await find("q=LINE+29");
    expect(found).toMatchObject({ count: 11, complete: true, nextAfter: null });
    expect(found.items[0]).toMatchObject({ text: "line 29", stream: "stdout", level: null, nodeId: null, matches: [[0, 7]] });
    expect((await find("q=LINE+29&matchCase=true")).count).toBe(0);
    expect(texts(await find("q=%5Eline+1%5B0-3%5D%24&regex=true"))).toEqual(["line 10", "line 11", "line 12", "line 13"]);
    expect((await find("q=%5B32m")).count).toBe(0);
    expect((await find("q=")).count).toBe(305);
  });

  it("narrows by output, level and node", async () => {
    expect(texts(await find("level=warn"))).toEqual(
      expect.arrayContaining(["ERROR:app:it broke", "  with more of it", "WARNING:app:of a node"]),
    );
    expect((await find("level=error&stream=stdout")).count).toBe(0);
    expect((await find("node=n1")).items).toMatchObject([{ nodeId: "n1", level: "warn", text: "WARNING:app:of a node" }]);
    expect(texts(await find("stream=stderr&q=more"))).toEqual(["  with more of it"]);
  });

  it("goes on page by page, each line once and in order", async () => {
    const seen: number[] = [];
    for (let after = 0; ;) {
      const page = await find(`limit=77&after=${after}`);
      expect(page.count).toBe(305);
      seen.push(...page.items.map(({ number }) => number));
      if (page.nextAfter === null) break;
      after = page.nextAfter;
    }
    expect(seen).toEqual(Array.from({ length: 305 }, (_, index) => index + 1));
  });

  it.each([
    ["q=(&regex=true", "invalid_pattern"],
    ["q=(%3F%3Da)&regex=true", "invalid_pattern"],
    [`q=${"x".repeat(1001)}`, "invalid_request"],
    ["level=loud", "invalid_request"],
    ["limit=0", "invalid_request"],
    ["limit=5000", "invalid_request"],
    ["after=-1", "invalid_request"],
    ["stream=stdin", "invalid_request"],
  ])("refuses %s", async (query, expected) => {
    const answer = await search(query);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, expected]);
  });

  it("looks through a log that is still being written", async () => {
    const live = await submit(server, {
      language: "bash",
      code: "echo begun; echo half -n; printf open; while [ ! -e /output/stop ]; do sleep 0.05; done",
    });
    for await (const event of followRun(server, live.id)) if (event.type === "log" && event.text.includes("open")) break;
    expect(texts(await find("", live.id))).toEqual(["begun", "half -n", "open"]);
    await server.send("POST", `/api/v1/runs/${live.id}/cancel`);
  });

  it("takes no more memory than a page, and says where it stopped when there is no time", async () => {
    const most = 200_000;
    async function* events() {
      for (let seq = 1; seq <= most; seq++)
        yield {
          type: "log",
          seq,
          time: "2026-01-05T09:30:00.000Z",
          stream: seq % 2 === 0 ? "stdout" : "stderr",
          text: `event ${seq}\n`,
        } as const;
    }
    const matcher = await matcherOf({ q: "event", regex: false, matchCase: false });
    const found = await searchLog(readLogLines(events()), matcher, { stream: "all" }, { after: 100_000, limit: 10 }, () => false);
    expect(found).toMatchObject({ count: most, lines: most, complete: true, nextAfter: 100_010 });
    expect(found.items.map(({ number }) => number)).toEqual(Array.from({ length: 10 }, (_, index) => 100_001 + index));
    let asked = 0;
    const cut = await searchLog(readLogLines(events()), matcher, { stream: "all" }, { after: 0, limit: 1 }, () => ++asked > 10);
    expect(cut.complete).toBe(false);
    expect(cut.lines).toBeLessThan(5000);
  });
});

describe("a log is downloaded", () => {
  it("as text, without control sequences, with or without times", async () => {
    const text = await download("format=text");
    expect(text.startsWith("INFO:app:started\nline 0\n")).toBe(true);
    expect(text).not.toContain("\u001b");
    expect(text.split("\n")).toHaveLength(306);
    expect(await download("format=text&timestamps=true&stream=stderr")).toMatch(
      /^2\d{3}-\d\d-\d\dT[\d:.]+Z ERROR:app:it broke\n2\S+Z {3}with more of it\n$/,
    );
    expect(await download("format=text&level=error")).toBe("ERROR:app:it broke\n  with more of it\n");
  });

  it("as lines with their facts", async () => {
    const lines = (await download("format=lines&node=n1")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as LogLine)).toMatchObject([
      { level: "warn", nodeId: "n1", text: "WARNING:app:of a node" },
    ]);
  });

  it("byte for byte, whatever is asked of lines being refused", async () => {
    expect(await download("stream=stdout")).toContain("\u001b]6277;node=n1\u0007WARNING");
    for (const query of ["level=warn", "node=n1&format=jsonl", "timestamps=true"])
      expect((await server.fetch(`/api/v1/runs/${id}/log?${query}`)).status).toBe(400);
  });

  it("compressed, when the caller takes that", async () => {
    const [packed, plain] = await Promise.all([request("gzip, br"), request("gzip;q=0, identity")]);
    expect([packed.headers["content-encoding"], plain.headers["content-encoding"]]).toEqual(["gzip", undefined]);
    const [bytes, whole] = [Buffer.concat(await packed.toArray()), Buffer.concat(await plain.toArray())];
    expect(bytes.length).toBeLessThan(whole.length);
    expect(gunzipSync(bytes)).toEqual(whole);
  });
});

function request(encoding: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${server.localKey}`, "accept-encoding": encoding };
    get(`${server.url}/api/v1/runs/${id}/log`, { headers }, resolve).on("error", reject);
  });
}
