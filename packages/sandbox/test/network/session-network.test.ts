import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PortUnreachableError } from "../../src/relay/relay-server.ts";
import type { Session } from "../../src/session.ts";
import { descendants, isAlive } from "@syla/testkit/host-state";
import { createTier, type TestTier } from "../sandbox-driver.ts";
import { openSession, shell } from "../session-driver.ts";

const address = "127.0.0.2";
let made: TestTier;
let outside: Server;
let port: number;
beforeAll(async () => {
  outside = createServer((request, response) => {
    if (request.url !== "/endless") return void response.end("from outside");
    response.write(Buffer.alloc(100_000)); // and then nothing, for as long as it is waited for
  }).listen(0, address);
  await once(outside, "listening");
  ({ port } = outside.address() as AddressInfo);
  made = createTier({ network: { allowPrivate: [`${address}:${port}`], gateway: answerForGateway } });
});
afterAll(async () => {
  await made[Symbol.asyncDispose]();
  outside.close();
});

function answerForGateway(socket: Socket): void {
  socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\ngateway"));
}

/** Answers each connection with everything it was sent, after the end of that. */
const echo = `
import socket, threading
def serve(connection):
    parts = []
    while data := connection.recv(65536): parts.append(data)
    connection.sendall(b"".join(parts)); connection.close()
listener = socket.create_server(("127.0.0.1", 7000))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
`;

async function listen(session: Session): Promise<void> {
  await shell(
    session,
    `setsid python3 -c '${echo.replaceAll("'", '"')}' > /tmp/ready 2>&1 < /dev/null & until grep -q ready /tmp/ready; do sleep 0.02; done`,
  );
}

async function ask(session: Session, words: string): Promise<string> {
  const socket = await session.connect(7000);
  socket.end(words);
  return await text(socket);
}

const fetching = (url: string) => [
  "python3",
  "-c",
  `import urllib.request, urllib.error
try: print(urllib.request.urlopen(${JSON.stringify(url)}, timeout=10).read().decode())
except urllib.error.HTTPError as error: print(error.code)
except OSError as error: print("unreachable")`,
];

describe("the network of a session", () => {
  it("reaches what its policy allows, and counts it while it lives", async () => {
    await using session = await openSession(made.tier, { network: { allow: [`${address}:${port}`] } });
    expect((await shell(session, fetching(`http://${address}:${port}/`))).out).toBe("from outside\n");
    expect((await shell(session, fetching("http://other.example/"))).out).toBe("403\n");
    expect(await session.ports()).toEqual([]);
    expect(session.network()).toMatchObject({ connections: 2, refused: 1, log: [{ outcome: "completed" }, { host: "other.example" }] });
  });

  it("counts what a connection that goes on has carried so far, and cuts it at the end", async () => {
    await using session = await openSession(made.tier, { network: { allow: [`${address}:${port}`] } });
    const read = `import urllib.request; answer = urllib.request.urlopen("http://${address}:${port}/endless"); answer.read(100000); print("read", flush=True); answer.read(1)`;
    const download = await session.start({ command: ["python3", "-c", read] });
    for await (const { data } of download.output) if (data.toString() === "read\n") break;
    expect(session.network()).toMatchObject({ connections: 1, open: 1, refused: 0, log: [] });
    expect(session.network()?.receivedBytes).toBeGreaterThan(100_000);
    await session.end();
    expect(session.network()).toMatchObject({ connections: 1, open: 0, log: [{ outcome: "cut", host: address }] });
  });

  it("counts what goes to the gateway", async () => {
    await using session = await openSession(made.tier, { network: "gateway", gatewayToken: "token" });
    expect((await shell(session, ["curl", "-sS", "http://anything.example/"])).out).toBe("gateway");
    await expect
      .poll(() => session.network())
      .toMatchObject({ connections: 1, open: 0, refused: 0, log: [{ host: "gateway", outcome: "completed" }] });
    const { sentBytes = 0, receivedBytes = 0 } = session.network() ?? {};
    expect([sentBytes > 50, receivedBytes > 50]).toEqual([true, true]);
  });

  it("does not reach the metadata address or the host, whatever the policy says", async () => {
    await using session = await openSession(made.tier, { network: "full" });
    for (const url of ["http://169.254.169.254/latest/meta-data/", `http://${address}:${port + 1}/`, "http://[fd00:ec2::254]/"])
      expect((await shell(session, fetching(url))).out).toBe("403\n");
    expect(session.network()).toMatchObject({ connections: 3, refused: 3 });
  });

  it("is none where none was asked for: no variables, no proxy", async () => {
    await using session = await openSession(made.tier);
    expect((await shell(session, "env | grep -i proxy")).out).toBe("");
    expect((await shell(session, fetching(`http://${address}:${port}/`))).out).toBe("unreachable\n");
    const direct = "import socket; socket.create_connection(('127.0.0.1', 3128), 2)";
    expect((await shell(session, ["python3", "-c", direct])).err).toContain("ConnectionRefusedError");
    expect(session.network()).toBeNull();
  });

  it("carries connections to its ports, large ones and many at once", async () => {
    await using session = await openSession(made.tier);
    await expect(session.connect(7000)).rejects.toThrow(PortUnreachableError);
    await expect(session.connect(3128)).rejects.toThrow(PortUnreachableError);
    await listen(session);
    const words = Array.from({ length: 20 }, (_, index) => String(index).repeat(200_000));
    expect(await Promise.all(words.map((word) => ask(session, word)))).toEqual(words);
  });

  it("two sessions at once have ports of their own", async () => {
    await using one = await openSession(made.tier);
    await using other = await openSession(made.tier);
    await listen(one);
    await expect(other.connect(7000)).rejects.toThrow(PortUnreachableError);
    expect(await ask(one, "mine")).toBe("mine");
  });

  it.each([false, true])("waits while it is paused, and goes on (without cgroups: %s)", async (withoutCgroups) => {
    await using own = createTier({ withoutCgroups });
    await using session = await openSession(own.tier);
    await listen(session);
    const before = await session.connect(7000);
    await session.pause();
    before.end("before");
    const answers = [text(before), ask(session, "meanwhile")];
    const none = await Promise.race([...answers, new Promise((resolve) => setTimeout(() => resolve("none"), 300))]);
    expect(none).toBe("none");
    await session.resume();
    expect(await Promise.all(answers)).toEqual(["before", "meanwhile"]);
  });

  it("is cut when the session ends in the middle", async () => {
    const session = await openSession(made.tier);
    await listen(session);
    const socket: Socket = await session.connect(7000);
    socket.write("half");
    const closed = once(socket, "close");
    socket.on("error", () => {}).resume();
    await session.end();
    await closed;
    await expect(session.connect(7000)).rejects.toThrow(PortUnreachableError);
  });

  it("is there again after its relay was killed, and the session lives on", async () => {
    await using session = await openSession(made.tier);
    await listen(session);
    const socket = await session.connect(7000);
    socket.on("error", () => {}).resume();
    const cut = once(socket, "end");
    for (const pid of relays()) process.kill(pid, "SIGKILL");
    await cut;
    socket.destroy();
    await expect.poll(() => ask(session, "again").catch(() => "not yet"), { timeout: 10_000 }).toBe("again");
    expect((await shell(session, "echo alive")).out).toBe("alive\n");
  });
});

/** The relays of this process's sandboxes. */
function relays(): number[] {
  return [...descendants(process.pid)].filter((pid) => isAlive(pid) && readFileSync(`/proc/${pid}/comm`, "utf8") === "syla-relay\n");
}
