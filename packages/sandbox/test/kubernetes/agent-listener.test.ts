import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import { AgentListener } from "../../src/kubernetes/agent-listener.ts";

let listener: AgentListener;
beforeEach(async () => {
  listener = await AgentListener.listen({ host: "127.0.0.1", port: 0, tls: null });
});
afterEach(() => listener.close());

const protocol = "syla.agent.1";

function dial(token: string, options: ClientOptions & { path?: string; protocol?: string } = {}): WebSocket {
  const { path = "/agent", protocol: name = protocol, headers, ...rest } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}${path}`, name, {
    ...rest,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  socket.on("error", () => {});
  return socket;
}

/** The status with which it was refused; 101: it was let in. */
async function outcomeOf(socket: WebSocket): Promise<number> {
  return await Promise.race([
    once(socket, "open").then(() => 101),
    once(socket, "unexpected-response").then(([, response]) => (response as { statusCode: number }).statusCode),
  ]);
}

describe("an agent of a pod", () => {
  it("is let in with its token, and its bytes are a stream, both ways", async () => {
    const { token, arrived } = listener.expect();
    const socket = dial(token);
    const stream = await arrived;
    const heard: Buffer[] = [];
    socket.on("message", (data: Buffer) => heard.push(data));
    await once(socket, "open");
    socket.send("from the ");
    socket.send("pod");
    const said: Buffer[] = [];
    while (Buffer.concat(said).length < 12) {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) await once(stream, "readable");
      else said.push(chunk);
    }
    expect(Buffer.concat(said).toString()).toBe("from the pod");
    stream.write("from the host");
    while (heard.length === 0) await sleep(5);
    expect(Buffer.concat(heard).toString()).toBe("from the host");
    const closed = once(socket, "close");
    stream.destroy();
    await closed;
  });

  it("is let in once", async () => {
    const { token, arrived } = listener.expect();
    expect(await outcomeOf(dial(token))).toBe(101);
    await arrived;
    expect(await outcomeOf(dial(token))).toBe(401);
  });

  it("is let in once, also when many try at the same time", async () => {
    const { token, arrived } = listener.expect();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(dial(token))));
    expect(outcomes.filter((status) => status === 101)).toHaveLength(1);
    expect(outcomes.filter((status) => status === 401)).toHaveLength(19);
    (await arrived).destroy();
  });

  it("is let in nowhere but to its own sandbox", async () => {
    const [one, other] = [listener.expect(), listener.expect()];
    expect(await outcomeOf(dial(one.token))).toBe(101);
    await one.arrived;
    expect(await Promise.race([other.arrived, sleep(50, "nobody")])).toBe("nobody");
  });

  it.each([
    ["no token", { headers: { authorization: "" } }],
    ["another token", { headers: { authorization: `Bearer ${"x".repeat(43)}` } }],
    ["its token as a password", { headers: { authorization: "Basic" } }],
    ["another path", { path: "/api/v1/runs" }],
    ["another protocol", { protocol: "graphql-ws" }],
    ["a page that a browser shows", { origin: "https://example.org" }],
  ])("is refused with %s, and its place stays its own", async (_, options) => {
    const { token, arrived } = listener.expect();
    expect(await outcomeOf(dial(token, options))).toBe(401);
    expect(await outcomeOf(dial(token))).toBe(101);
    (await arrived).destroy();
  });

  it("is refused when nobody waits for it any more", async () => {
    const { token, arrived, forget } = listener.expect();
    forget();
    await expect(arrived).rejects.toThrow("nobody waits");
    expect(await outcomeOf(dial(token))).toBe(401);
  });

  it("that sends a message which is too large is cut, with nothing of it taken", async () => {
    const { token, arrived } = listener.expect();
    const socket = dial(token);
    const stream = await arrived;
    await once(socket, "open");
    const closed = new Promise((resolve) => stream.once("close", resolve));
    socket.send(Buffer.alloc(2 << 20));
    await closed;
    expect(stream.read()).toBeNull();
  });

  it("that sends what is no WebSocket is cut", async () => {
    const { token, arrived } = listener.expect();
    const socket = connect(listener.port, "127.0.0.1");
    socket.on("error", () => {});
    const words = ["GET /agent HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    words.push(`Sec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}`, `Sec-WebSocket-Protocol: ${protocol}`);
    socket.write([...words, `Authorization: Bearer ${token}`, "", ""].join("\r\n"));
    const stream = await arrived;
    const closed = new Promise((resolve) => stream.once("close", resolve));
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await closed;
    expect(stream.read()).toBeNull();
  });

  it("that is not read from is slowed down, not kept in memory", async () => {
    const { token, arrived } = listener.expect();
    const socket = dial(token);
    await arrived;
    await once(socket, "open");
    for (let sent = 0; sent < 400; sent += 1) socket.send(Buffer.alloc(1 << 18));
    await sleep(300);
    expect(socket.bufferedAmount).toBeGreaterThan(50 << 20); // it waits at the sender
    socket.terminate();
  });
});

describe("the listener", () => {
  it("has nothing but agents", async () => {
    const response = await fetch(`http://127.0.0.1:${listener.port}/agent`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe("");
  });

  it("takes strangers for a while, and goes on letting in who has a token", async () => {
    const strangers = Array.from({ length: 300 }, () => connect(listener.port, "127.0.0.1"));
    for (const stranger of strangers) stranger.on("error", () => {});
    await Promise.all(strangers.map((stranger) => once(stranger, "connect")));
    const { token, arrived } = listener.expect();
    expect(await outcomeOf(dial(token))).toBe(101);
    (await arrived).destroy();
    for (const stranger of strangers) stranger.destroy();
  });

  it("answers nonsense with an end", async () => {
    const stranger = connect(listener.port, "127.0.0.1");
    stranger.on("error", () => {});
    stranger.write("\0\0\0nonsense\r\n\r\n");
    const heard = await Array.fromAsync(stranger as AsyncIterable<Buffer>).catch(() => []);
    expect(Buffer.concat(heard).toString()).toBe("");
  });
});
