import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bash, createTier, mebibyte, python, runIn, startBeside, type TestTier, type Wish } from "../sandbox-driver.ts";
import type { RuntimeSpec } from "../../src/spec.ts";
import { listenHttp, listenRaw, listenTls, pythonClient, type Outside } from "./outside.ts";

const node: RuntimeSpec = {
  name: "node",
  pooling: "cold",
  binary: process.execPath,
  command: ["{binary}", "{entrypoint}"],
  env: {},
  preimport: [],
  bootVariables: [],
  mounts: [{ source: process.execPath, target: "/opt/runtimes/node/node" }],
  reservesMemory: true,
};

/** Every name ends at this machine; loopback is open to these runs by an administrator's exception. */
let stage: TestTier;
let web: Outside;
let echo: Outside;
let tls: Awaited<ReturnType<typeof listenTls>>;
const requests: IncomingMessage[] = [];

beforeAll(async () => {
  stage = createTier({ network: { allowPrivate: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"] } });
  web = await listenHttp((request, response) => {
    requests.push(request);
    response.setHeader("x-seen", request.url ?? "");
    void text(request).then((body) => response.end(`${request.method} ${request.headers.host} ${body.length}`));
  });
  echo = await listenRaw((socket) => void socket.pipe(socket));
  tls = await listenTls(
    ["secure.test"],
    (socket) => void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nover TLS")),
  );
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  for (const server of [web, echo, tls]) await server[Symbol.asyncDispose]();
});

const hosts = () => ({ allow: [`web.test:${web.port}`, `echo.test:${echo.port}`, `secure.test:${tls.port}`, `*.wild.test:${web.port}`] });
const run = (code: string, wish: Wish = {}) => runIn(stage.tier, python, pythonClient + code, { network: hosts(), ...wish });

describe("programs reach what they may with what they know already", () => {
  test("Python's urllib, over HTTP and TLS", async () => {
    const code = `
import ssl, urllib.request
print(urllib.request.urlopen("http://web.test:${web.port}/a%20b?c", data=b"x" * 1000).read())
print(urllib.request.urlopen("http://a.b.wild.test:${web.port}/").read())
print(urllib.request.urlopen("https://secure.test:${tls.port}/", context=ssl.create_default_context(cafile="ca.pem")).read())`;
    const files = [{ path: "ca.pem", mode: 0o644, content: Buffer.from(tls.certificate) }];
    const result = await run(code, { files });
    expect(result).toMatchObject({
      err: "",
      out: `b'POST web.test:${web.port} 1000'\nb'GET a.b.wild.test:${web.port} 0'\nb'over TLS'\n`,
    });
  });

  test("curl, through the HTTP proxy, a tunnel and SOCKS5", async () => {
    const url = `http://web.test:${web.port}/x`;
    const code = `set -e
curl -sS ${url}; echo; curl -sSp ${url}; echo; curl -sS -x socks5h://127.0.0.1:3128 ${url}; echo
curl -sS -x 'http://[::1]:3128' ${url}; echo; curl -sS --cacert ca.pem https://secure.test:${tls.port}/; echo
curl -sS http://other.test/; curl -sS https://other.test/ || echo "curl: $?"`;
    const files = [{ path: "ca.pem", mode: 0o644, content: Buffer.from(tls.certificate) }];
    const result = await runIn(stage.tier, bash, code, { network: hosts(), files });
    const lines = result.out.split("\n");
    expect(lines.slice(0, 5)).toEqual([...Array.from({ length: 4 }, () => `GET web.test:${web.port} 0`), "over TLS"]);
    expect(result.out).toContain("other.test:80 is refused: it is not on the run's allow list.\nAllow it with `--allow-domain other.test`");
    expect(result.out).toMatch(/curl: 56\n$/);
  });

  test("Node's fetch", async () => {
    const code = `console.log(await (await fetch("http://web.test:${web.port}/", { method: "PUT", body: "abc" })).text());
await fetch("http://other.test/").catch(() => console.log("refused"));
console.log(await (await fetch("https://secure.test:${tls.port}/")).text());`;
    const env = { NODE_EXTRA_CA_CERTS: "/workspace/ca.pem" };
    const files = [{ path: "ca.pem", mode: 0o644, content: Buffer.from(tls.certificate) }];
    const result = await runIn(stage.tier, node, code, {
      network: hosts(),
      entrypoint: "main.mjs",
      files,
      env,
      limits: { memoryBytes: 512 * mebibyte },
    });
    expect(result).toMatchObject({
      out: `PUT web.test:${web.port} 3\nrefused\nover TLS\n`,
      exit: { exitCode: 0 },
    });
  });

  test("the variables that say so, but for those that the run sets itself", async () => {
    const code = "import json, os\nprint(json.dumps({name: value for name, value in os.environ.items() if 'proxy' in name.lower()}))";
    const all = JSON.parse((await run(code)).out) as object;
    const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
    expect(Object.keys(all).toSorted()).toEqual([...names, "NODE_USE_ENV_PROXY"].toSorted());
    const own = JSON.parse((await run(code, { env: { http_proxy: "http://mine:1", NODE_USE_ENV_PROXY: "0" } })).out) as object;
    expect(own).toMatchObject({ http_proxy: "http://mine:1", HTTPS_PROXY: "http://127.0.0.1:3128", NODE_USE_ENV_PROXY: "0" });
    expect(own).not.toHaveProperty("HTTP_PROXY");
  });
});

describe("plain requests", () => {
  test("on one connection: each is judged by itself, chunked bodies pass, hop-by-hop headers and a false Host do not", async () => {
    requests.length = 0;
    const code = `
import http.client
proxy = http.client.HTTPConnection("127.0.0.1", 3128)
def ask(url, body=None, headers={}):
    proxy.request("POST" if body else "GET", url, body, headers, encode_chunked=True)
    answer = proxy.getresponse()
    print(answer.status, answer.read()[:60], proxy.sock is not None)
ask("http://web.test:${web.port}/1", headers={"Host": "other.test", "Proxy-Authorization": "Basic x", "Connection": "x-mine, keep-alive", "X-Mine": "1", "X-Kept": "1", "TE": "trailers", "Upgrade": "x"})
ask("http://web.test:${web.port}/2", iter([b"part", b"s" * 100000]), {"Transfer-Encoding": "chunked"})
ask("http://other.test/3")
ask("http://web.test:${web.port}/4")`;
    const result = await run(code);
    expect(result.out.split("\n")).toEqual([
      `200 b'GET web.test:${web.port} 0' True`,
      `200 b'POST web.test:${web.port} 100004' True`,
      expect.stringMatching(/^403 b'Syla did not let this connection out/) as string,
      `200 b'GET web.test:${web.port} 0' True`,
      "",
    ]);
    const [first, second] = requests;
    expect(first?.headers).toEqual({ host: `web.test:${web.port}`, "accept-encoding": "identity", "x-kept": "1", connection: "close" });
    expect(second?.headers["transfer-encoding"]).toBe("chunked");
    expect(requests.map((request) => request.url)).toEqual(["/1", "/2", "/4"]);
  });

  test("that are none, or too large, get an answer", async () => {
    const ask = (request: string) => `
sock = relay(); sock.sendall(${request}); print(sock.recv(100).split(b"\\r\\n")[0])`;
    const result = await run(
      [
        ask('b"GET / HTTP/1.1\\r\\nHost: web.test\\r\\n\\r\\n"'),
        ask('b"GET https://web.test/ HTTP/1.1\\r\\nHost: web.test\\r\\n\\r\\n"'),
        ask('b"nonsense\\r\\n\\r\\n"'),
        ask('b"CONNECT web.test HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"'),
        ask(`b"GET http://web.test:${web.port}/ HTTP/1.1\\r\\nX: " + b"x" * 100000 + b"\\r\\n\\r\\n"`),
        ask(`b"GET http://web.test:${web.port}/ HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"`),
      ].join(""),
    );
    expect(result.out.trim().split("\n")).toEqual(Array.from({ length: 6 }, () => "b'HTTP/1.1 400 Bad Request'"));
  });

  test("to a server that answers nonsense, or ends early, do not hang", async () => {
    await using broken = await listenRaw((socket) => void socket.once("data", () => socket.end("what?\r\n\r\n")));
    await using short = await listenRaw(
      (socket) => void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")),
    );
    const result = await run(
      `
import urllib.request, urllib.error, http.client
for port in (${broken.port}, ${short.port}):
    try: print(urllib.request.urlopen(f"http://web.test:{port}/").read())
    except urllib.error.HTTPError as error: print(error.code)
    except (http.client.IncompleteRead, ConnectionError) as error: print("cut")`,
      { network: "full" },
    );
    expect(result.out).toBe("502\ncut\n");
  });
});

describe("bytes", () => {
  test("100 MiB each way at once arrive as they are", async () => {
    const size = 100 * mebibyte;
    const result = await run(
      `
sock = socks("echo.test", ${echo.port})
block = os.urandom(1 << 20)
sent, got, count = hashlib.sha256(), hashlib.sha256(), 0
def send():
    for number in range(100):
        part = number.to_bytes(8, "big") + block[8:]
        sent.update(part); sock.sendall(part)
    sock.shutdown(socket.SHUT_WR)
thread = threading.Thread(target=send); thread.start()
while data := sock.recv(1 << 18):
    got.update(data); count += len(data)
thread.join()
print(count, sent.digest() == got.digest())`,
      { limits: { wallMs: 60_000 } },
    );
    expect(result).toMatchObject({ out: `${size} True\n`, err: "" });
  });

  test("100 connections at once, and more than a run may have: the others wait", async () => {
    const result = await run(
      `
threading.stack_size(1 << 18)
def use(number):
    with tunnel("echo.test", ${echo.port}) as sock:
        sock.sendall(b"%d" % number * 1000)
        sock.shutdown(socket.SHUT_WR)
        if read_all(sock) == b"%d" % number * 1000: good.append(number)
for count in (100, 300):
    good = []
    threads = [threading.Thread(target=use, args=(number,)) for number in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(len(good))`,
      { limits: { processes: 400, openFiles: 1000 } },
    );
    expect(result).toMatchObject({ out: "100\n300\n", err: "" });
  });

  test("one side may end its half while the other goes on", async () => {
    await using server = await listenRaw((socket) => {
      socket.write("first ");
      let got = "";
      socket.on("data", (data: Buffer) => (got += data.toString()));
      socket.on("end", () => void socket.end(`then ${got}`));
    });
    await using early = await listenRaw((socket) => {
      socket.end("bye");
      void text(socket).then((rest) => heard.push(rest));
    });
    const heard: string[] = [];
    const result = await run(
      `
sock = tunnel("echo.test", ${server.port}); sock.sendall(b"question"); sock.shutdown(socket.SHUT_WR); print(read_all(sock))
sock = tunnel("echo.test", ${early.port}); print(read_all(sock)); sock.sendall(b"later"); sock.close(); time.sleep(.3)`,
      { network: "full" },
    );
    expect(result.out).toBe("b'first then question'\nb'bye'\n");
    expect(heard).toEqual(["later"]);
  });

  test("wait for a slow reader, and are not kept in memory", async () => {
    const total = 64 * mebibyte;
    const block = randomBytes(mebibyte);
    let written = 0;
    await using source = await listenRaw((socket) => {
      const push = () => {
        while (written < total && socket.writable) {
          written += block.length;
          if (!socket.write(block)) return void socket.once("drain", push);
        }
        socket.end();
      };
      push();
    });
    const program = await startBeside(
      stage.tier,
      python,
      `${pythonClient}
sock = socks("echo.test", ${source.port})
print("waiting", flush=True); time.sleep(2)
data, got = hashlib.sha256(), 0
while part := sock.recv(1 << 18): data.update(part); got += len(part)
print(got, data.hexdigest())`,
      { network: "full" },
    );
    await program.printed("waiting");
    await sleep(1500);
    expect(written).toBeLessThan(16 * mebibyte);
    const hash = createHash("sha256");
    for (let part = 0; part < 64; part += 1) hash.update(block);
    expect((await program.result).out).toContain(`${total} ${hash.digest("hex")}\n`);
  });

  test("end when the server does, and when the program is killed", async () => {
    await using server = await listenRaw((socket) => void socket.write("hello"));
    const program = await startBeside(
      stage.tier,
      python,
      `${pythonClient}
one, two = socks("echo.test", ${server.port}), socks("echo.test", ${server.port})
assert one.recv(5) == two.recv(5) == b"hello"
print("ready", flush=True)
try: print("one", one.recv(5), flush=True)
except ConnectionError: print("one b''", flush=True)
two.recv(5)`,
      { network: "full" },
    );
    await program.printed("ready");
    const [first, second] = server.sockets;
    first?.resetAndDestroy();
    await program.printed("one b''");
    const gone = once(second as NonNullable<typeof second>, "end");
    second?.resume();
    program.run.cancel(0);
    const { exit } = await program.result;
    expect(exit).toMatchObject({ exitCode: null, signal: 15 });
    await gone;
    expect(program.run.network()).toMatchObject({ connections: 2, refused: 0, receivedBytes: 10 });
    expect(program.run.network()?.log.map(({ outcome }) => outcome)).toEqual(["failed", "cut"]);
  });
});

describe("names and addresses", () => {
  test("that do not exist, or lead nowhere, are told apart from those that are refused", async () => {
    const resolve = async (host: string) => {
      if (host === "missing.test") throw new Error("the name missing.test has no address");
      return host === "slow.test" ? await new Promise<string[]>(() => {}) : ["127.0.0.1"];
    };
    await using tier = createTier({ network: { allowPrivate: ["127.0.0.0/8"], resolve, times: { connectMs: 300, helloMs: 300 } } });
    const closed = await listenRaw(() => {});
    await closed[Symbol.asyncDispose]();
    const code = `${pythonClient}
for host, port in (("missing.test", 80), ("slow.test", 80), ("closed.test", ${closed.port}), ("10.0.0.1", 80)):
    try: tunnel(host, port)
    except RuntimeError as error: print(str(error).split("\\r\\n\\r\\n")[1].split("\\n")[0])`;
    const program = await startBeside(tier.tier, python, code, { network: "full" });
    const result = await program.result;
    expect(result.out.trim().split("\n")).toEqual([
      "Syla could not make this connection. missing.test:80 cannot be reached: the name missing.test has no address.",
      "Syla could not make this connection. slow.test:80 cannot be reached: the name server did not answer in time.",
      `Syla could not make this connection. closed.test:${closed.port} cannot be reached: ECONNREFUSED.`,
      "Syla did not let this connection out. 10.0.0.1:80 is refused: private.",
    ]);
    expect(program.run.network()).toMatchObject({ connections: 4, refused: 1 });
  });

  test("are logged, the first 500, and all counted", async () => {
    const program = await startBeside(
      stage.tier,
      python,
      `${pythonClient}
for number in range(520):
    try: socks(f"host{number}.test", 80)
    except RuntimeError: pass
socks("echo.test", ${echo.port}).sendall(b"x" * 10)`,
      { network: hosts() },
    );
    await program.result;
    const usage = program.run.network();
    expect(usage).toMatchObject({ connections: 521, refused: 520, sentBytes: 10 });
    expect(usage?.log).toHaveLength(500);
    expect(usage?.log[7]).toMatchObject({
      host: "host7.test",
      port: 80,
      address: null,
      outcome: "refused",
      reason: "it is not on the run's allow list",
    });
  });
});

describe("runs at once", () => {
  const asking = `${pythonClient}
print("in", flush=True); sys.stdin.read()
for _ in range(20):
    for host in ("one.test", "two.test", "three.test"):
        try: socks(host, PORT).close(); print(host)
        except RuntimeError: pass
    time.sleep(.01)`;

  test("of one tenant and of another each keep to their own policy, and are counted by themselves", async () => {
    const wishes = [
      { tenant: "ada", host: "one.test" },
      { tenant: "ada", host: "two.test" },
      { tenant: "bob", host: "three.test" },
    ];
    const code = asking.replace("PORT", String(echo.port));
    const programs = await Promise.all(
      wishes.map(({ tenant, host }) => startBeside(stage.tier, python, code, { tenant, network: { allow: [`${host}:${echo.port}`] } })),
    );
    const results = await Promise.all(programs.map((program) => program.result));
    expect(results.map((result) => result.out)).toEqual(wishes.map(({ host }) => `in\n${`${host}\n`.repeat(20)}`));
    for (const [index, program] of programs.entries()) {
      const usage = program.run.network();
      expect(usage).toMatchObject({ connections: 60, refused: 40 });
      const reached = usage?.log.filter(({ outcome }) => outcome !== "refused").map(({ host }) => host);
      expect(new Set(reached)).toEqual(new Set([wishes[index]?.host]));
    }
  });

  test("with a network and without one of the same tenant share nothing", async () => {
    const beside = await startBeside(stage.tier, python, "import time\nprint('in', flush=True)\ntime.sleep(5)", { network: "full" });
    await beside.printed("in");
    const result = await runIn(
      stage.tier,
      python,
      `${pythonClient}
try: relay(); print("there")
except ConnectionRefusedError: print("refused")`,
    );
    expect(result.out).toBe("refused\n");
    beside.run.cancel(0);
    await beside.result;
  });
});

describe("ports of the program", () => {
  const server = `${pythonClient}
listener = socket.create_server(("127.0.0.1", 8000))
six = socket.create_server(("::1", 8001), family=socket.AF_INET6)
print("listening", flush=True)
for one in (listener, six):
    sock, _ = one.accept()
    data = read_all(sock)
    sock.sendall(hashlib.sha256(data).hexdigest().encode()); sock.close()
time.sleep(30)`;

  test.each<[string, Wish]>([
    ["with a network", { network: "full" }],
    ["without a way out", { ports: true }],
  ])("are reached by the host, %s", async (_name, wish) => {
    const program = await startBeside(stage.tier, python, server, wish);
    await program.printed("listening");
    const block = randomBytes(20 * mebibyte);
    for (const port of [8000, 8001]) {
      const socket = await program.run.connect(port);
      socket.end(block);
      expect(await text(socket)).toBe(createHash("sha256").update(block).digest("hex"));
    }
    await expect(program.run.connect(8002)).rejects.toThrow(/nothing answers on this port/);
    await expect(program.run.connect(3128)).rejects.toThrow("the sandbox's own proxy");
    await expect(program.run.connect(0)).rejects.toThrow(/is not a port/);
    program.run.cancel(0);
    await program.result;
    await expect(program.run.connect(8000)).rejects.toThrow("the run has ended");
  });

  test("of a run that was started without are out of reach", async () => {
    const program = await startBeside(stage.tier, python, "import time\nprint('in', flush=True)\ntime.sleep(5)");
    await program.printed("in");
    await expect(program.run.connect(8000)).rejects.toThrow("started without ports");
    program.run.cancel(0);
    await program.result;
  });

  test("do not give the program a way out", async () => {
    const result = await runIn(
      stage.tier,
      python,
      `${pythonClient}
try: relay(); print("there")
except ConnectionRefusedError: print("refused", [name for name in os.environ if "PROXY" in name.upper()])`,
      { ports: true },
    );
    expect(result.out).toBe("refused []\n");
  });
});

test("without control groups it is the same", async () => {
  await using tier = createTier({ withoutCgroups: true, network: { allowPrivate: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"] } });
  const result = await runIn(
    tier.tier,
    python,
    `${pythonClient}
sock = tunnel("echo.test", ${echo.port}); sock.sendall(b"hello"); sock.shutdown(socket.SHUT_WR); print(read_all(sock))`,
    { network: hosts() },
  );
  expect(result).toMatchObject({ out: "b'hello'\n", err: "" });
});

test("the model gateway gets the program's connections, whole; without one the policy cannot be had", async () => {
  await expect(runIn(stage.tier, python, "print(1)", { network: "gateway" })).rejects.toMatchObject({ code: "network_unavailable" });
  const gateway = (socket: Socket, { tenant }: { tenant: string }) =>
    void socket.once("data", (data: Buffer) => socket.end(`${tenant}: ${data.toString()}`));
  await using tier = createTier({ network: { gateway } });
  const result = await runIn(
    tier.tier,
    python,
    `${pythonClient}
sock = relay(); sock.sendall(b"GET /v1/models"); print(read_all(sock))`,
    { network: "gateway", tenant: "ada" },
  );
  expect(result.out).toBe("b'ada: GET /v1/models'\n");
});
