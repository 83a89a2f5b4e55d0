import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findTestGuest } from "@syla/testkit/guest";
import { PortUnreachableError } from "../../src/relay/relay-server.ts";
import { collect, mebibyte, python, specOf, startBeside, type Wish } from "../sandbox-driver.ts";
import { openSession, shell } from "../session-driver.ts";
import { listenHttp, listenRaw, pythonClient, type Outside } from "../network/outside.ts";
import { createMachines, type TestMachines } from "./machines.ts";

/** The network of machines, which have no network device: the same policies, the same proxy and the same gateway as everywhere. */

const { image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is booted: ${reason}\n`);

describe.skipIf(image === null)("the network of a machine", () => {
  let stage: TestMachines;
  let web: Outside;
  let echo: Outside;
  const requests: IncomingMessage[] = [];
  const tokens: unknown[] = [];

  beforeAll(async () => {
    web = await listenHttp((request, response) => {
      requests.push(request);
      void text(request).then((body) => response.end(`${request.method} ${request.headers.host} ${body.length}`));
    });
    echo = await listenRaw((socket) => void socket.pipe(socket));
    const gateway = (socket: Socket, run: unknown) => {
      tokens.push(run);
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\ngateway"));
    };
    if (image !== null)
      stage = createMachines(image, { network: { allowPrivate: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"], gateway } });
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    for (const server of [web, echo]) await server[Symbol.asyncDispose]();
  });
  const hosts = () => ({ allow: [`web.test:${web.port}`, `echo.test:${echo.port}`] });
  const run = async (code: string, wish: Wish = {}) => {
    const started = await stage.tier.start(specOf(python, pythonClient + code, { network: hosts(), ...wish }));
    const result = await collect(started);
    return { ...result, usage: started.network() };
  };

  test("reaches what is on its list, and nothing else", async () => {
    const result = await run(`
import urllib.request, urllib.error
print(urllib.request.urlopen("http://web.test:${web.port}/a", data=b"x" * 1000).read())
for url in ("http://other.test/", "http://169.254.169.254/latest/meta-data/"):
    try: urllib.request.urlopen(url)
    except urllib.error.HTTPError as error: print(error.code)
try: socket.create_connection(("127.0.0.1", ${web.port}), 5)
except OSError as error: print("not past the proxy")
print([line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]])
`);
    expect(result.err).toBe("");
    expect(result.out).toBe(`b'POST web.test:${web.port} 1000'\n403\n403\nnot past the proxy\n['lo']\n`);
    expect(result.usage).toMatchObject({ connections: 3, refused: 2 });
  });

  test("carries much, both ways at once and over many connections, byte by byte", async () => {
    const result = await run(`
data = os.urandom(1 << 20)
def go(number, found):
    sock = tunnel("echo.test", ${echo.port})
    threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR))).start()
    found[number] = read_all(sock) == data
found = {}
threads = [threading.Thread(target=go, args=(number, found)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(found.items()) == [(number, True) for number in range(8)])
`);
    expect([result.err, result.out]).toEqual(["", "True\n"]);
    expect(result.usage).toMatchObject({ connections: 8, refused: 0 });
  });

  test("leads to the gateway alone, with the run's own token, where that is the policy", async () => {
    tokens.length = 0;
    const code = `
import urllib.request
for url in ("http://syla/v1/models", "http://web.test:${web.port}/"): print(urllib.request.urlopen(url).read())
`;
    const before = requests.length;
    const result = await run(code, { network: "gateway", gatewayToken: "of this run" });
    expect([result.err, result.out]).toEqual(["", "b'gateway'\nb'gateway'\n"]);
    expect(tokens).toEqual(Array.from({ length: 2 }, () => ({ tenant: "tenant", token: "of this run" })));
    expect(requests.length).toBe(before);
  });

  test("is not there for a run that asked for none", async () => {
    const result = await run(
      "import os\nprint([name for name in os.environ if 'proxy' in name.lower()])\ntry: relay()\nexcept OSError: print('nobody')",
      {
        network: "none",
      },
    );
    expect([result.out, result.usage]).toEqual(["[]\nnobody\n", null]);
  });

  test("ports of a run and of a session are reached, and cut at the end", async () => {
    const serve = `
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
    const beside = await startBeside(stage.tier, python, serve, { ports: true, limits: { wallMs: 60_000 } });
    await beside.printed("ready");
    const ask = async (place: { connect(port: number): Promise<unknown> }, words: string) => {
      const socket = (await place.connect(7000)) as Socket;
      socket.end(words);
      return await text(socket);
    };
    const words = ["a few", "many ".repeat(100_000)];
    expect(await Promise.all(words.map((each) => ask(beside.run, each)))).toEqual(words);
    for (const port of [7001, 3128]) await expect(beside.run.connect(port)).rejects.toThrow(PortUnreachableError);
    const open = (await beside.run.connect(7000)) as Socket;
    open.on("error", () => {}).resume();
    open.write("half");
    const cut = once(open, "close");
    beside.run.cancel(0);
    await beside.result;
    await cut;

    await using session = await openSession(stage.tier, {
      runtime: python,
      limits: { memoryBytes: 256 * mebibyte, cpus: 1 },
      network: hosts(),
    });
    await session.files.write("serve.py", [Buffer.from(serve)]);
    await shell(session, "python3 serve.py > ready 2>&1 < /dev/null & until [ -s ready ]; do sleep 0.1; done");
    expect(await ask(session, "to a session")).toBe("to a session");
    expect((await session.ports()).map(({ port }) => port)).toEqual([7000]);
    const fetching = `import urllib.request; print(urllib.request.urlopen("http://web.test:${web.port}/").read().decode())`;
    expect((await shell(session, ["python3", "-c", fetching])).out).toBe(`GET web.test:${web.port} 0\n`);
    expect(session.network()).toMatchObject({ connections: 1, refused: 0 });
    await session.pause();
    const meanwhile = ask(session, "meanwhile");
    expect(await Promise.race([meanwhile, new Promise((resolve) => setTimeout(resolve, 500, "none"))])).toBe("none");
    await session.resume();
    expect(await meanwhile).toBe("meanwhile");
  });
});
