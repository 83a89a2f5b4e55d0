import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Model } from "@syla/contracts/models";
import { execute } from "@syla/testkit/runs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type GatewaySetting } from "./gateway-setting.ts";

/** Callers that do not read what they have asked for. */

let setting: GatewaySetting;
let model: Model;
beforeAll(async () => {
  setting = await openGateway({ SYLA_MODEL_READER_SECONDS: "1", SYLA_MODEL_IDLE_SECONDS: "60" });
  model = await setting.model("Endless");
});
afterAll(() => setting[Symbol.asyncDispose]());

/** How much the provider has got rid of. */
let sent = 0;
const event = (text: string) => Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`);
function* endless(): Generator<Buffer> {
  const piece = event("x".repeat(8000));
  for (;;) {
    sent += piece.length;
    yield piece;
  }
}

/** Asks over a socket of its own, which nothing reads but what the test says. */
function ask(body: object): Socket {
  const { hostname, port } = new URL(setting.server.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  socket.pause();
  const text = JSON.stringify(body);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: ${setting.ann.headers.authorization}\r\n` +
      `content-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
  return socket;
}
const request = (more: object = {}) => ({ model: model.id, max_tokens: 1000, messages: [{ role: "user", content: "x" }], ...more });
const held = async () => {
  const { queries } = setting.server.context.database;
  const rows = await queries.selectFrom("spend_counters").select("reserved").where("scope", "=", `user:${setting.ann.id}`).execute();
  return rows.reduce((sum, row) => sum + row.reserved, 0);
};
/** What a socket lets through before whoever reads it is waited for, and what lies in between: far less than what the provider would send. */
const mostBytes = 24 * 1024 * 1024;

test.each([
  ["never reads", () => {}],
  [
    "reads a little now and then",
    (socket: Socket) => {
      const timer = setInterval(() => socket.read(1), 100);
      socket.once("close", () => clearInterval(timer));
    },
  ],
])("a caller who %s is ended, with what the provider does for them, and pays what was held back", async (_what, read) => {
  sent = 0;
  setting.llm.seen.length = 0;
  setting.llm.behave({ raw: { type: "text/event-stream", chunks: endless() } });
  const socket = ask(request({ stream: true }));
  read(socket);
  const call = await setting.lastCall(model);
  expect(call).toMatchObject({ status: "failed", error: { code: "slow_reader" }, isEstimate: true });
  expect(call.cost).toBeGreaterThanOrEqual(0.002);
  await expect.poll(() => setting.llm.seen[0]?.aborted).toBe(true);
  expect(sent).toBeLessThan(mostBytes);
  expect(await held()).toBe(0);
  socket.destroy();
});

test("a caller who reads gets all of a long answer", async () => {
  const pieces = Array.from({ length: 400 }, (_, index) => event(`${index}`.padEnd(4000, ".")));
  setting.llm.behave({ raw: { type: "text/event-stream", chunks: [...pieces, Buffer.from("data: [DONE]\n\n")] } });
  const answer = await setting.send(setting.ann, "POST", "/v1/chat/completions", request({ stream: true }));
  expect((await answer.text()).match(/data: /g)).toHaveLength(401);
  expect(await setting.lastCall(model)).toMatchObject({ status: "succeeded" });
});

test("a long answer that nobody reads does not stay", async () => {
  const long = JSON.stringify({
    choices: [{ message: { content: "y".repeat(40 * 1024 * 1024) } }],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  });
  setting.llm.behave({ raw: { type: "application/json", chunks: [Buffer.from(long)] } });
  const socket = ask(request());
  expect(await setting.lastCall(model)).toMatchObject({ status: "succeeded" });
  // Who reads nothing notices by writing (an empty line means nothing) that the server has ended the connection.
  const isEnded = () => {
    socket.write("\r\n");
    return socket.destroyed;
  };
  await expect.poll(isEnded, { timeout: 20_000 }).toBe(true);
  expect(socket.bytesRead).toBeLessThan(long.length);
  const whole = await setting.send(setting.ann, "POST", "/v1/chat/completions", request());
  expect(whole.headers.get("content-length")).toBe(String(long.length));
  expect((await whole.text()).length).toBe(long.length);
});

test("a run that waits for a provider that is silent for longer than a reader may be gets all of the answer", async () => {
  async function* slow(): AsyncGenerator<Buffer> {
    yield event("first");
    await sleep(1500);
    yield event("second");
    yield Buffer.from("data: [DONE]\n\n");
  }
  setting.llm.behave({ raw: { type: "text/event-stream", chunks: slow() } });
  const code = `import json, os, urllib.request
body = {"model": "m", "stream": True, "max_tokens": 1000, "messages": [{"role": "user", "content": "x"}]}
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"})
text = urllib.request.urlopen(request).read().decode()
print("first" in text, "second" in text, "[DONE]" in text)`;
  const done = await execute(setting.server, { language: "python", code, models: [model.id] }, setting.ann.headers);
  expect(done).toMatchObject({ status: "succeeded", stdout: "True True True\n" });
  expect(await setting.lastCall(model)).toMatchObject({ status: "succeeded" });
});

test("a run that does not read is ended too, and the run goes on", async () => {
  setting.llm.behave({ raw: { type: "text/event-stream", chunks: endless() } });
  setting.llm.seen.length = 0;
  const code = `import http.client, json, os, time, urllib.parse
base = urllib.parse.urlparse(os.environ["OPENAI_BASE_URL"])
client = http.client.HTTPConnection(base.hostname, base.port)
client.request("POST", base.path + "/chat/completions", json.dumps({"model": "m", "stream": True, "max_tokens": 1000, "messages": [{"role": "user", "content": "x"}]}), {"content-type": "application/json"})
answer = client.getresponse()
answer.read(1)
time.sleep(3)
try:
    while answer.read(65536): pass
    print("ended")
except Exception as error:
    print("ended", type(error).__name__)`;
  const done = await execute(setting.server, { language: "python", code, models: [model.id] }, setting.ann.headers);
  expect(done).toMatchObject({ status: "succeeded", stdout: expect.stringMatching(/^ended/) as string });
  expect(await setting.lastCall(model)).toMatchObject({ status: "failed", error: { code: "slow_reader" }, runId: done.id });
  expect(setting.llm.seen[0]?.aborted).toBe(true);
});
