import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createPerson } from "@syla/testkit/runs";
import { createSandbox, waitForPort } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import Client from "ws";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { cliEntry, runCli } from "./run-cli.ts";

let server: TestServer;
let id: string;
let env: Record<string, string>;
const started: ChildProcess[] = [];

/** Sends back each connection's bytes as they come, and ends when they do; on 7001 it never reads, on 7002 it never stops. */
const program = `
import socket, threading
def echo(c):
    while data := c.recv(65536): c.sendall(data)
    c.shutdown(socket.SHUT_WR)
def sink(c): threading.Event().wait()
def flood(c):
    while True: c.sendall(bytes(65536))
def listen(port, serve):
    listener = socket.create_server(("127.0.0.1", port))
    while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
for pair in ((7000, echo), (7001, sink), (7002, flood)): threading.Thread(target=listen, args=pair).start()
`;

beforeAll(async () => {
  server = await startTestServer();
  ({ id } = await createSandbox(server));
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: "/nonexistent/syla" };
  await server.send("POST", `/api/v1/sandboxes/${id}/processes`, { command: ["python3", "-c", program] });
  await waitForPort(server, id, 7002);
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Starts `syla sandbox forward` and reads where it listens. */
async function forward(...ports: string[]): Promise<{ child: ChildProcess; locals: number[] }> {
  const child = spawn(process.execPath, [cliEntry, "sandbox", "forward", id, ...ports], { env: { ...process.env, ...env } });
  started.push(child);
  let told = "";
  for await (const chunk of child.stdout) {
    told += String(chunk);
    if (told.trim().split("\n").length === ports.length) break;
  }
  return {
    child,
    locals: told
      .trim()
      .split("\n")
      .map((line) => Number(/^127\.0\.0\.1:(\d+) -> /.exec(line)?.[1])),
  };
}

function open(port = 0): Socket {
  return connect({ host: "127.0.0.1", port, allowHalfOpen: true });
}

function dial(port: number | string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const socket = new Client(`${server.url.replace("http", "ws")}/api/v1/sandboxes/${id}/ports/${port}/connection`, { headers });
    socket.on("unexpected-response", (_request, response) => resolve(`refused ${response.statusCode}`));
    socket.on("open", () => (socket.close(), resolve("open")));
    socket.on("error", () => {});
  });
}

describe("syla sandbox forward", () => {
  test("many connections at once, each with its own bytes, ended one way at a time", async () => {
    const { locals } = await forward("7000:0");
    const words = Array.from({ length: 12 }, (_, index) => Buffer.alloc(3_000_000, index + 1));
    const answers = words.map(async (word) => {
      const socket = open(locals[0]);
      socket.end(word);
      return (await buffer(socket)).equals(word);
    });
    expect(await Promise.all(answers)).toEqual(words.map(() => true));
  });

  test("what is not read stops whoever sends, both ways", async () => {
    const { child, locals } = await forward("7001:0", "7002:0");
    const [up, down] = [open(locals[0]), open(locals[1])];
    const chunk = Buffer.alloc(1 << 20);
    let sent = 0;
    // Until for a while nothing more is taken.
    while (!up.writableNeedDrain && sent < 1 << 28) {
      for (let room = true; room; sent += chunk.length) room = up.write(chunk);
      await Promise.race([once(up, "drain"), sleep(1500)]);
    }
    expect(sent).toBeLessThan(1 << 27);
    down.pause();
    await sleep(1500); // a flood would have filled memory by then
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])).toBeLessThan(400_000);
    up.destroy();
    down.destroy();
  });

  test("a port that nobody listens on closes the connection, and the forward goes on", async () => {
    const { locals, child } = await forward("7999:0", "7000:0");
    const refused = open(locals[0]);
    refused.on("error", () => {});
    refused.end("x");
    expect(await text(refused).catch(() => "")).toBe("");
    const socket = open(locals[1]);
    socket.end("still here");
    expect(await text(socket)).toBe("still here");
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test("mistakes are told", async () => {
    const run = (...args: string[]) => runCli(["sandbox", "forward", ...args], { env });
    expect(await run(id, "http")).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("http is not REMOTE or REMOTE:LOCAL") as string,
    });
    expect(await run(id, "70000")).toMatchObject({ code: 64 });
    expect((await run("sbx_00000000000000000000000000", "80:0")).stderr).toContain("not_found");
    const { locals } = await forward("7000:0");
    expect((await run(id, `7000:${locals[0]}`)).stderr).toContain("cannot be used");
  });
});

describe("the WebSocket of a port", () => {
  test("is refused to nobody, to others, and to pages of other sites", async () => {
    const mine = { authorization: `Bearer ${server.localKey}` };
    expect(await dial(7000, mine)).toBe("open");
    expect(await dial(7000, {})).toBe("refused 401");
    expect(await dial(7000, await createPerson(server))).toBe("refused 404");
    expect(await dial(7000, { cookie: "syla.session_token=x", origin: "http://8000-0123.localhost:1" })).toBe("refused 403");
    expect(await dial(7999, mine)).toBe("refused 409");
    expect(await dial(3128, mine)).toBe("refused 409");
    expect(await dial("0", mine)).toBe("refused 400");
  });

  test("is closed when something else is said", async () => {
    const socket = new Client(`${server.url.replace("http", "ws")}/api/v1/sandboxes/${id}/ports/7000/connection`, {
      headers: { authorization: `Bearer ${server.localKey}` },
    });
    await once(socket, "open");
    socket.send('{"took":-1}');
    expect(((await once(socket, "close")) as [number])[0]).toBe(1007);
  });
});
