import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { startWebhookReceiver, type WebhookReceiver } from "@syla/testkit/webhook-receiver";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: TestServer;
let receiver: WebhookReceiver;
let home: string;

beforeAll(async () => {
  receiver = await startWebhookReceiver();
  server = await startTestServer({ SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1", SYLA_WORKER_SLOTS: "1" });
  home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const syla = (...args: string[]) => runCli(args, { env: { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: home } });

test("a webhook is made, tested, looked at, sent to again and deleted", async () => {
  const made = await syla("webhook", "create", receiver.url, "--name", "mine", "--event", "run.finished", "asset.updated");
  expect(made.stdout).toMatch(/^id +whk_[0-9a-z]{26}\nsecret +whsec_\S+ \(shown this once\)\n$/);
  expect((await syla("webhook", "list")).stdout).toMatch(/\tmine\ton\trun\.finished,asset\.updated\t/);
  expect((await syla("webhook", "test", "mine")).stdout).toMatch(/^Taken with 204 in \d+ ms\.\n$/);
  receiver.behave({ status: 410 });
  const refused = await syla("webhook", "test", "mine");
  expect(refused).toMatchObject({ code: 69, stderr: expect.stringContaining("it answered with 410") });
  expect((await syla("webhook", "list")).stdout).toContain("\toff\t");
  const failed = await syla("webhook", "deliveries", "mine", "--state", "failed");
  expect(failed.stdout).toMatch(/^msg_[0-9a-z]{26}\twebhook\.test\tfailed\t1\t410\t/);
  const id = failed.stdout.slice(0, 30);
  expect(JSON.parse((await syla("webhook", "deliveries", "mine", "--show", id)).stdout)).toMatchObject({ id, tries: [{ status: 410 }] });
  receiver.behave({ status: 204 });
  expect((await syla("webhook", "replay", "mine", id)).code).not.toBe(0);
  expect((await syla("webhook", "update", "mine", "--on")).stdout).toBe("mine is on.\n");
  expect((await syla("webhook", "replay", "mine", "--since", "2020-01-01T00:00:00Z")).stdout).toBe("1 will be sent again.\n");
  expect((await syla("webhook", "replay", "mine")).code).toBe(64);
  expect((await syla("webhook", "rotate", "mine")).stdout).toMatch(/^whsec_\S+\n$/);
  expect((await syla("webhook", "delete", "mine")).stdout).toBe("mine is deleted.\n");
  expect((await syla("webhook", "list")).stdout).toBe("");
});

test("a trigger is made and called, and tells of its calls", async () => {
  const program = await server.send("POST", "/api/v1/assets", {
    type: "program",
    name: "Hook",
    files: [{ path: "main.py", content: "print(input())" }],
  });
  expect(program.status).toBe(201);
  const made = await syla("trigger", "create", "Hook", "--auth", "bearer", "--rate", "5", "--json");
  const { id, url, secret } = JSON.parse(made.stdout) as { id: string; url: string; secret: string };
  const called = await fetch(`${url}?wait=30`, { method: "POST", headers: { authorization: `Bearer ${secret}` }, body: "hello" });
  expect(await called.json()).toMatchObject({ status: "succeeded", stdout: "hello\n" });
  expect((await syla("trigger", "list", "--program", "Hook")).stdout).toMatch(/\tHook\ton\tHook\t-\tbearer\t/);
  expect((await syla("trigger", "calls", "Hook")).stdout).toMatch(/\tstarted\trun_[0-9a-z]{26}\t-\t/);
  expect((await syla("trigger", "update", id, "--off")).stdout).toBe("Hook is off.\n");
  expect((await fetch(url, { method: "POST", headers: { authorization: `Bearer ${secret}` } })).status).toBe(409);
  expect((await syla("trigger", "rotate", id)).stdout).toMatch(/^whsec_\S+\n$/);
  expect((await syla("trigger", "delete", "Hook")).stdout).toBe("Hook is deleted.\n");
  expect((await syla("trigger", "calls", "Hook")).code).toBe(64);
});
