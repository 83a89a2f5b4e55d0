import { createServer, connect, type Server, type Socket } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SandboxConnection, type AgentEvent } from "../src/connection.ts";
import { encodeFrame, encodeJsonFrame, FrameReader, FrameType } from "../src/frames.ts";
import { SandboxError } from "../src/spec.ts";

/** A real socket pair: `agent` is the test's end, `host` the one that the connection gets. */
let folder: string;
let server: Server;
let agent: Socket;
let host: Socket;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "syla-connection-"));
  const path = join(folder, "agent.sock");
  server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  agent = connect(path);
  agent.on("error", () => {});
  host = await accepted;
  host.on("error", () => host.destroy());
});

afterEach(() => {
  agent.destroy();
  host.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const hello = (facts: object = {}) => encodeJsonFrame(FrameType.hello, { version: 1, slot: 3, pid: 9, ...facts });
const goodExit = {
  exitCode: 0,
  signal: null,
  reason: null,
  runMs: 1,
  cpuMs: 1,
  maxRssBytes: 1,
  stdoutBytes: 0,
  stderrBytes: 0,
  droppedBytes: 0,
  failure: null,
  last: false,
};

async function open(): Promise<SandboxConnection> {
  agent.write(hello());
  return SandboxConnection.open(host);
}

async function eventsOf(connection: SandboxConnection): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of connection.events()) events.push(event);
  return events;
}

describe("the greeting", () => {
  test("tells the slot, also when it comes byte by byte", async () => {
    const opening = SandboxConnection.open(host);
    for (const byte of hello()) {
      agent.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect((await opening).slot).toBe(3);
  });

  const bad: [string, Buffer][] = [
    ["another version", hello({ version: 2 })],
    ["no slot", encodeJsonFrame(FrameType.hello, { version: 1, pid: 1 })],
    ["not JSON", encodeFrame(FrameType.hello, Buffer.from("{"))],
    ["another frame", encodeFrame(FrameType.stdout, Buffer.from("hi"))],
    ["a failure", encodeJsonFrame(FrameType.failed, { message: "no namespaces here" })],
    ["a failure that is none", encodeJsonFrame(FrameType.failed, {})],
    ["a frame of 4 GB", Buffer.from([255, 255, 255, 255, 32])],
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
  ];
  for (const [name, bytes] of bad) {
    test(`is refused: ${name}`, async () => {
      agent.end(bytes);
      await expect(SandboxConnection.open(host)).rejects.toBeInstanceOf(Error);
    });
  }

  test("never comes: the agent closed", async () => {
    agent.end();
    await expect(SandboxConnection.open(host)).rejects.toThrow("before its greeting");
  });
});

describe("a run", () => {
  test("events come in order and end with the exit", async () => {
    const connection = await open();
    agent.write(
      Buffer.concat([
        encodeJsonFrame(FrameType.started, { agoMs: 1.5 }),
        encodeFrame(FrameType.stdout, Buffer.from("out")),
        encodeFrame(FrameType.stderr, Buffer.from("err")),
      ]),
    );
    agent.write(
      Buffer.concat([encodeJsonFrame(FrameType.dropped, { bytes: 7 }), encodeJsonFrame(FrameType.artifact, { path: "a/b", size: 2 })]),
    );
    agent.write(
      Buffer.concat([
        encodeFrame(FrameType.data, Buffer.from("ab")),
        encodeJsonFrame(FrameType.skipped, { path: "l", reason: "link" }),
        encodeJsonFrame(FrameType.exit, goodExit),
      ]),
    );
    expect((await eventsOf(connection)).map((event) => event.type)).toEqual([
      "started",
      "output",
      "output",
      "dropped",
      "artifact",
      "artifact-data",
      "skipped",
      "agent-exit",
    ]);
  });

  const garbage: [string, Buffer][] = [
    ["an unknown type", encodeFrame(200)],
    ["a host frame", encodeFrame(FrameType.start)],
    ["an exit without facts", encodeJsonFrame(FrameType.exit, {})],
    ["an exit with an unknown reason", encodeJsonFrame(FrameType.exit, { ...goodExit, reason: "because" })],
    ["an exit that is text", encodeJsonFrame(FrameType.exit, { ...goodExit, exitCode: "0" })],
    ["an artifact with a number for a path", encodeJsonFrame(FrameType.artifact, { path: 1, size: 1 })],
    ["an artifact above the folder", encodeJsonFrame(FrameType.artifact, { path: "../x", size: 1 })],
    ["an artifact at an absolute path", encodeJsonFrame(FrameType.artifact, { path: "/etc/passwd", size: 1 })],
    ["an artifact of negative size", encodeJsonFrame(FrameType.artifact, { path: "x", size: -1 })],
    ["JSON that is none", encodeFrame(FrameType.dropped, Buffer.from("nope"))],
    ["a failure in the middle", encodeJsonFrame(FrameType.failed, { message: "broke" })],
    ["an impossible length", Buffer.from([9, 0, 0, 0, 34])],
  ];
  for (const [name, bytes] of garbage) {
    test(`ends with a SandboxError on ${name}`, async () => {
      const connection = await open();
      agent.write(bytes);
      await expect(eventsOf(connection)).rejects.toThrow(SandboxError);
    });
  }

  test("ends with a SandboxError when the agent goes away, cleanly or in the middle of a frame", async () => {
    const connection = await open();
    agent.end(encodeFrame(FrameType.stdout, Buffer.alloc(100)).subarray(0, 50));
    await expect(eventsOf(connection)).rejects.toThrow("ended without a result");
  });

  test("an idle connection notices that its agent is gone", async () => {
    const connection = await open();
    expect(connection.closed).toBe(false);
    agent.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(connection.closed).toBe(true);
  });

  test("files, plan and input arrive whole, large ones in pieces", async () => {
    const connection = await open();
    const reader = new FrameReader();
    const seen: [number, Buffer][] = [];
    const done = new Promise<void>((resolve) => {
      agent.on("data", (chunk: Buffer) => {
        reader.feed(chunk);
        for (let frame = reader.next(); frame !== null; frame = reader.next()) {
          seen.push([frame.type, frame.payload]);
          if (frame.type === FrameType.stdinEnd) resolve();
        }
      });
    });
    const large = Buffer.alloc(5_000_000, "x");
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("one");
      yield Buffer.from("two");
    }
    await connection.sendFiles([
      { path: "a", mode: 0o600, content: large },
      { path: "b/c", mode: 0o755, content: parts() },
    ]);
    await connection.start({ argv: ["x"] }, Buffer.alloc(3_000_000, "y"));
    await done;
    const bytes = (type: number) => Buffer.concat(seen.filter(([kind]) => kind === type).map(([, payload]) => payload));
    expect(bytes(FrameType.data).equals(Buffer.concat([large, Buffer.from("onetwo")]))).toBe(true);
    expect(bytes(FrameType.stdin).length).toBe(3_000_000);
    expect(seen.filter(([type]) => type === FrameType.file).map(([, payload]) => JSON.parse(payload.toString()) as unknown)).toEqual([
      { path: "a", mode: 0o600 },
      { path: "b/c", mode: 0o755 },
    ]);
    expect(Math.max(...seen.map(([, payload]) => payload.length))).toBeLessThanOrEqual(1 << 20);
  });

  test("writing to an agent that is gone does not hang or throw", async () => {
    const connection = await open();
    agent.destroy();
    await connection.sendFiles([{ path: "a", mode: 0o600, content: Buffer.alloc(8_000_000) }]);
    connection.signal(15);
    connection.kill("cancelled");
    await expect(eventsOf(connection)).rejects.toThrow(SandboxError);
  });
});
