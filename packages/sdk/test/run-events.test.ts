import { Syla, type FollowOptions, type RunEvent } from "@syla/sdk";
import { expect, test } from "vitest";
import { type Answer, json, problem, startServer, stream } from "./fake-server.ts";

const time = "2026-01-01T00:00:00.000Z";
const log = (seq: number, text = `line ${seq}\n`) => ({ type: "log", seq, time, stream: "stdout", text });
const end = (seq: number) => ({ type: "end", seq, time, run: { id: "run_1", status: "succeeded" } });

async function follow(
  answers: Answer[],
  options: FollowOptions = {},
  onEvent: () => void = () => {},
): Promise<{ events: RunEvent[]; error: unknown; resumes: (string | undefined)[] }> {
  const { baseUrl, seen } = await startServer(...answers);
  const syla = new Syla({ baseUrl, retry: { baseDelayMs: 1, maxDelayMs: 20 } });
  const events: RunEvent[] = [];
  let error: unknown = null;
  try {
    for await (const event of syla.runs.events("run_1", options)) {
      events.push(event);
      onEvent();
    }
  } catch (reason) {
    error = reason;
  }
  return { events, error, resumes: seen.map((request) => request.headers["last-event-id"] as string | undefined) };
}

const seqs = (events: readonly RunEvent[]) => events.map((event) => event.seq);

test("reads to the end event and closes", async () => {
  const { events, error, resumes } = await follow([stream([log(1, "ä\n"), log(2), end(3)], "hold")]);
  expect(error).toBeNull();
  expect(events).toEqual([log(1, "ä\n"), log(2), end(3)]);
  expect(resumes).toEqual([undefined]);
});

test("goes on where a cut, ended or refused connection stopped: no gap, no double", async () => {
  const answers = [
    stream([log(1), log(2)], "cut"),
    problem(503, "shutting_down"),
    stream([log(2), log(3)], "end"),
    stream([log(4), end(5)], "hold"),
  ];
  const { events, error, resumes } = await follow(answers);
  expect(error).toBeNull();
  expect(seqs(events)).toEqual([1, 2, 3, 4, 5]);
  expect(resumes).toEqual([undefined, "2", "2", "3"]);
});

test("starts after the event that the caller has", async () => {
  const { events, resumes } = await follow([stream([log(8), end(9)], "end")], { lastEventId: 7 });
  expect(seqs(events)).toEqual([8, 9]);
  expect(resumes).toEqual(["7"]);
});

test("a hole is asked for once more, and believed the second time", async () => {
  const lost = await follow([stream([log(1), log(3)], "hold"), stream([log(2), log(3), end(4)], "hold")]);
  expect(seqs(lost.events)).toEqual([1, 2, 3, 4]);
  expect(lost.resumes).toEqual([undefined, "1"]);
  const absent = await follow([stream([log(1), log(3), end(4)], "hold"), stream([log(3), end(4)], "hold")]);
  expect(seqs(absent.events)).toEqual([1, 3, 4]);
});

test("a silent connection is taken for dead, one with keep-alives is not", async () => {
  const keepAlives: Answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": hello\n\n");
    let count = 0;
    const timer = setInterval(() => {
      if (++count < 8) return void response.write(":\n\n");
      clearInterval(timer);
      response.write(`data: ${JSON.stringify(end(2))}\n\n`);
    }, 50);
  };
  const { events, error, resumes } = await follow([stream([log(1)], "hold"), keepAlives], { idleTimeoutMs: 200 });
  expect(error).toBeNull();
  expect(seqs(events)).toEqual([1, 2]);
  expect(resumes).toEqual([undefined, "1"]);
});

test("an event that arrives in pieces, even in the middle of a character, is whole", async () => {
  const bytes = Buffer.from(`id: 1\ndata: ${JSON.stringify(log(1, "grün 🌱"))}\n\ndata: ${JSON.stringify(end(2))}\n\n`);
  const pieces: Answer = async (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let at = 0; at < bytes.length; at += 7) {
      response.write(bytes.subarray(at, at + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  expect((await follow([pieces])).events[0]).toEqual(log(1, "grün 🌱"));
});

test("an answer that will not change is not asked for again", async () => {
  const gone = await follow([problem(404, "not_found")]);
  expect(gone.error).toMatchObject({ code: "not_found" });
  expect(gone.resumes).toHaveLength(1);
  const page = await follow([json(200, "<html>")]);
  expect(page.error).toMatchObject({ code: "unexpected_answer" });
  expect(page.resumes).toHaveLength(1);
});

test("gives up after the allowed number of vain connections, and says each reason", async () => {
  const reasons: unknown[] = [];
  const { error, resumes } = await follow([stream([], "end")], { maxReconnects: 3, onReconnect: (reason) => reasons.push(reason) });
  expect(error).toMatchObject({ code: "connection_failed" });
  expect(resumes).toHaveLength(4);
  expect(reasons).toHaveLength(3);
});

test("the caller's signal ends it with the caller's reason", async () => {
  const controller = new AbortController();
  const leave = () => controller.abort(new Error("left"));
  const { events, error } = await follow([stream([log(1)], "hold")], { signal: controller.signal }, leave);
  expect(seqs(events)).toEqual([1]);
  expect(error).toEqual(new Error("left"));
});
