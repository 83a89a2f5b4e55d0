/** Follows the how-tos of webhooks and triggers: their programs are taken from the documents and meet a real server. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Asset } from "@syla/contracts/assets";
import { triggerAuths } from "@syla/contracts/triggers";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { curlOf } from "../apps/web/src/triggers/curl.ts";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";

const runFile = promisify(execFile);
const folder = createTemporaryDirectory();
let server: TestServer;
let program: Asset;

beforeAll(async () => {
  server = await startTestServer({ SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1", SYLA_WORKER_SLOTS: "1" });
  program = await post<Asset>("/api/v1/assets", { type: "program", name: "Hook", files: [{ path: "main.py", content: "print(input())" }] });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function post<T>(path: string, body: object): Promise<T> {
  return (await (await server.send("POST", path, body)).json()) as T;
}

/** The only fenced block of a language. */
async function readBlock(document: string, language: string): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "../docs/how-to", document), "utf8");
  const found = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((match) => match[1] ?? "");
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

async function findPort(): Promise<number> {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const address = holder.address();
  holder.close();
  await once(holder, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

it.each([
  ["python", "receiver.py", "python3"],
  ["js", "receiver.mjs", process.execPath],
])("a receiver in %s takes what is signed, and nothing else", async (language, name, command) => {
  const file = join(folder.path, name);
  await writeFile(file, await readBlock("use-webhooks.md", language));
  const port = await findPort();
  const url = `http://127.0.0.1:${port}/`;
  const made = await post<{ id: string; secret: string }>("/api/v1/webhooks", { name, url, events: ["run.finished"] });
  const receiver = spawn(command, [file], {
    env: { PORT: String(port), WEBHOOK_SECRET: made.secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    let printed = "";
    receiver.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const send = (headers: Record<string, string>, body = "{}") =>
      fetch(url, { method: "POST", headers, body }).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(() => send({})).toBe(401);
    await post(`/api/v1/webhooks/${made.id}/test`, {});
    await expect.poll(() => printed).toContain("webhook.test");
    const body = JSON.stringify({ type: "own", data: {} });
    const signed = (secret: string, at: Date) => ({
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": `v1,AAAA ${new Webhook(secret).sign("msg_1", at, body)}`,
    });
    const other = `whsec_${Buffer.alloc(32).toString("base64")}`;
    const [now, old] = [new Date(), new Date(Date.now() - 400_000)];
    expect(await send(signed(made.secret, now), body)).toBe(204);
    expect(await send(signed(other, now), body)).toBe(401);
    expect(await send(signed(made.secret, old), body)).toBe(401);
    expect(await send(signed(made.secret, now), `${body} `)).toBe(401);
  } finally {
    receiver.kill("SIGKILL");
    await once(receiver, "close");
  }
});

it("a caller in Python starts a run", async () => {
  const { url, secret } = await post<{ url: string; secret: string }>("/api/v1/triggers", { name: "a", programId: program.id });
  const code = await readBlock("start-runs-by-triggers.md", "python");
  const { stdout } = await runFile("python3", ["-c", code], { env: { TRIGGER_SECRET: secret, TRIGGER_URL: url } });
  expect(stdout).toContain(`'stdout': '{"order": 7}\\n'`);
});

it.each(triggerAuths)("the command of the page starts a run: %s", async (auth) => {
  const made = await post<{ url: string; secret: string }>("/api/v1/triggers", { name: auth, programId: program.id, auth });
  const command = curlOf({ auth, url: `${made.url}?wait=30` });
  const { stdout } = await runFile("bash", ["-eu", "-c", command], { env: { PATH: process.env["PATH"], SECRET: made.secret } });
  expect(JSON.parse(stdout)).toMatchObject({ status: "succeeded", stdout: '{"hello":"world"}\n' });
});
