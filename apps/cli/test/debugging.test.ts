/** Follows docs/how-to/debug-a-program.md: its commands are run as they stand there. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitForPort } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import Client from "ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const document = readFileSync(join(root, "docs/how-to/debug-a-program.md"), "utf8");
let server: TestServer;
let folder: string;
let id = "";
const started: ChildProcess[] = [];

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), "syla-how-to-"));
  writeFileSync(join(folder, "syla"), `#!/bin/sh\nexec "${process.execPath}" "${join(root, "apps/cli/src/main.ts")}" "$@"\n`, {
    mode: 0o755,
  });
});
afterAll(async () => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), "SIGTERM");
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the block of the document that holds `part`. */
function follow(part: string): ChildProcess {
  const blocks = [...document.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
  const found = blocks.filter((block) => block.includes(part));
  expect(found).toHaveLength(1);
  const { PATH = "" } = process.env;
  const env = { PATH, SANDBOX: id, SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: join(folder, "home") };
  const commands = `${found[0] ?? ""}\n[ -z "\${SANDBOX:-}" ] || echo "SANDBOX=$SANDBOX"`;
  const child = spawn("bash", ["-eu", "-c", commands], { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return text;
}

async function portIsFree(port: number): Promise<boolean> {
  const probe = createServer();
  const free = await new Promise<boolean>((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (free) await new Promise((resolve) => probe.close(resolve));
  return free;
}

/** A debugger, over the protocol that those of browsers and editors speak. */
class Debugger {
  readonly #socket: Client;
  readonly #answers = new Map<number, (result: Record<string, unknown>) => void>();
  readonly #paused: ((frame: { callFrameId: string; location: { lineNumber: number } }) => void)[] = [];
  #count = 0;

  constructor(url: string) {
    this.#socket = new Client(url);
    this.#socket.on("message", (data: Buffer) => {
      const told = JSON.parse(data.toString()) as { id?: number; result?: Record<string, unknown>; method?: string; params?: unknown };
      if (told.id !== undefined) this.#answers.get(told.id)?.(told.result ?? {});
      else if (told.method === "Debugger.paused") this.#paused.shift()?.((told.params as { callFrames: [never] }).callFrames[0]);
    });
  }

  async open(): Promise<void> {
    await once(this.#socket, "open");
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    this.#count += 1;
    const number = this.#count;
    this.#socket.send(JSON.stringify({ id: number, method, params }));
    return new Promise((resolve) => this.#answers.set(number, resolve));
  }

  paused(): Promise<{ callFrameId: string; location: { lineNumber: number } }> {
    return new Promise((resolve) => this.#paused.push(resolve));
  }

  close(): void {
    this.#socket.close();
  }
}

describe("debug a program", () => {
  test("a sandbox with the program", async () => {
    const text = await outputOf(follow("sandbox create"));
    id = /^SANDBOX=(sbx_\w+)$/m.exec(text)?.[1] ?? "";
    expect(id).not.toBe("");
  });

  test("the inspector of Node.js stops at the first line, tells a variable and goes on", async () => {
    expect(await portIsFree(9229), "port 9229 of this machine is in use").toBe(true);
    const program = follow("--inspect-brk");
    const output = outputOf(program);
    await waitForPort(server, id, 9229);
    const forward = follow("sandbox forward");
    await once(forward.stdout ?? forward, "data");
    const [target] = (await (await fetch("http://127.0.0.1:9229/json/list")).json()) as { webSocketDebuggerUrl: string }[];
    const inspector = new Debugger(target?.webSocketDebuggerUrl ?? "");
    await inspector.open();
    await inspector.send("Debugger.enable");
    const first = inspector.paused();
    await inspector.send("Runtime.runIfWaitingForDebugger");
    expect((await first).location.lineNumber).toBe(0);
    const second = inspector.paused();
    await inspector.send("Debugger.setBreakpointByUrl", { lineNumber: 2, urlRegex: "total.js$" });
    await inspector.send("Debugger.resume");
    const frame = await second;
    const { result } = await inspector.send("Debugger.evaluateOnCallFrame", { callFrameId: frame.callFrameId, expression: "total" });
    expect([frame.location.lineNumber, result]).toMatchObject([2, { value: 42 }]);
    await inspector.send("Debugger.resume");
    inspector.close();
    expect(await output).toContain("the total is 42");
    process.kill(-(forward.pid ?? 0), "SIGTERM");
    started.splice(started.indexOf(forward), 1);
  });

  test("pdb on a terminal", async () => {
    const [, words = ""] = /^\.\/syla sandbox shell "\$SANDBOX" (python3 .*)$/m.exec(document) ?? [];
    const send = (path: string, body: object) => server.send("POST", `/api/v1/sandboxes/${id}${path}`, body);
    const made = await send("/processes", { command: words.split(" "), terminal: { columns: 80, rows: 24 } });
    const { pid } = (await made.json()) as { pid: number };
    const url = `${server.url.replace("http", "ws")}/api/v1/sandboxes/${id}/processes/${pid}/terminal`;
    const terminal = new Client(url, { headers: { authorization: `Bearer ${server.localKey}` } });
    let seen = "";
    terminal.on("message", (data: Buffer) => (seen += data.toString()));
    await expect.poll(() => seen).toContain("(Pdb)");
    const closed = once(terminal, "close");
    terminal.send(Buffer.from("next\nnext\np total * 2\nquit\n"));
    await closed;
    expect(seen).toContain("84");
  });
});
