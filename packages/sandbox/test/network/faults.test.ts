import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { encodeRelayMessage, RelayKind } from "../../src/relay/relay-message.ts";
import { descendants, isAlive } from "@syla/testkit/host-state";
import { createTier, python, runIn, startBeside, type TestTier } from "../sandbox-driver.ts";
import { listenRaw, pythonClient } from "./outside.ts";

const loopback = { allowPrivate: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"] };
const full = { network: "full" } as const;

/** The relays of this process's sandboxes. */
function relays(): number[] {
  return [...descendants(process.pid)].filter((pid) => isAlive(pid) && readFileSync(`/proc/${pid}/comm`, "utf8") === "syla-relay\n");
}

/** Says something to the relay socket of a tier, as nobody may. */
async function say(stage: TestTier, bytes: Uint8Array): Promise<Socket> {
  const [path = ""] = globSync(`${stage.folder}/jail-*/relay.sock`);
  const socket = connect(path);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

const message = (kind: string, number = 0, token = "00".repeat(16)) => encodeRelayMessage({ kind, port: 0, number, token });

describe("a relay", () => {
  test("is in no jail of runs without a network", async () => {
    await using stage = createTier();
    await runIn(stage.tier, python, "print(1)");
    expect(relays()).toEqual([]);
    expect(globSync(`${stage.folder}/jail-*/relay.sock`)).toEqual([]);
    await runIn(stage.tier, python, "print(1)", full);
    expect(relays().length).toBeGreaterThan(0);
    expect(globSync(`${stage.folder}/jail-*/relay.sock`)).toHaveLength(1);
  });

  test("that is killed takes the open connections with it; another one takes its place, for this run and the next", async () => {
    await using echo = await listenRaw((socket) => void socket.pipe(socket));
    await using stage = createTier({ network: loopback, slotsPerJail: 1 });
    const code = `${pythonClient}
sock = socks("echo.test", ${echo.port}); sock.sendall(b"one"); print(sock.recv(10), flush=True)
try: data = sock.recv(10)
except ConnectionError: data = b""
print("cut", data, flush=True)
for attempt in range(100):
    try: sock = socks("echo.test", ${echo.port}); break
    except (OSError, RuntimeError, AssertionError): time.sleep(.05)
sock.sendall(b"two"); print(sock.recv(10))`;
    for (let round = 0; round < 2; round += 1) {
      const program = await startBeside(stage.tier, python, code, full);
      await program.printed("b'one'");
      expect(relays()).toHaveLength(1);
      for (const pid of relays()) process.kill(pid, "SIGKILL");
      expect((await program.result).out).toBe("b'one'\ncut b''\nb'two'\n");
      await expect(program.run.connect(1)).rejects.toThrow("the run has ended");
    }
  });

  test("that is stopped is noticed: the run ends all the same, and its jail with it", async () => {
    await using stage = createTier({ network: loopback, slotsPerJail: 1 });
    const program = await startBeside(stage.tier, python, "import time\nprint('in', flush=True)\ntime.sleep(.3)", full);
    await program.printed("in");
    for (const pid of relays()) process.kill(pid, "SIGSTOP");
    expect((await program.result).exit.exitCode).toBe(0);
    expect((await runIn(stage.tier, python, "print('next')", full)).out).toBe("next\n");
  });
});

describe("the host's socket for relays", () => {
  test("drops garbage, tokens of nobody and second relays, and goes on", async () => {
    await using echo = await listenRaw((socket) => void socket.pipe(socket));
    await using stage = createTier({ network: loopback, slotsPerJail: 1 });
    const program = await startBeside(
      stage.tier,
      python,
      `${pythonClient}
sock = socks("echo.test", ${echo.port}); sock.sendall(b"one"); print(sock.recv(10), flush=True)
sys.stdin.read(); sock.sendall(b"two"); print(sock.recv(10))
listener = socket.create_server(("127.0.0.1", 8000)); print("listening", flush=True)
listener.accept()[0].recv(1)`,
      { ...full },
    );
    await program.printed("b'two'");
    const dropped = [
      message(RelayKind.control),
      message(RelayKind.egress, 0, "ab".repeat(16)),
      message(RelayKind.port, 1, "ab".repeat(16)),
      message("?"),
      Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    ];
    for (const bytes of dropped) {
      const socket = await say(stage, bytes);
      socket.resume();
      await once(socket, "close");
    }
    // Another slot's number, or half a greeting, reaches nothing either.
    const other = await say(stage, message(RelayKind.control, 99));
    other.write(Buffer.concat([message(RelayKind.opened), message(RelayKind.failed, 1), message("?", 7, "ff".repeat(16))]));
    const half = await say(stage, Buffer.alloc(10));
    const many = await Promise.all(Array.from({ length: 200 }, () => say(stage, Buffer.alloc(3))));
    await program.printed("listening");
    (await program.run.connect(8000)).destroy();
    expect((await program.result).exit.exitCode).toBe(0);
    expect((await runIn(stage.tier, python, "print('next')", full)).out).toBe("next\n");
    for (const socket of [other, half, ...many]) socket.destroy();
  });
});

describe("nothing of one run's connections reaches the next in its slot", () => {
  test("open ones, half-open ones, ones that nobody accepted, and bytes that come late", async () => {
    const late: Socket[] = [];
    await using server = await listenRaw((socket) => {
      late.push(socket);
      socket.on("data", () => socket.write("answer"));
    });
    await using stage = createTier({ network: loopback, slotsPerJail: 1 });
    const leaving = `${pythonClient}
kept = [socks("late.test", ${server.port}) for _ in range(20)]
for sock in kept[:10]: sock.sendall(b"question")
for sock in kept[10:15]: sock.shutdown(socket.SHUT_WR)
waiting = [relay() for _ in range(40)]
for sock in waiting[:20]: sock.sendall(b"CONNECT late.test:")
raw = [socket.socket() for _ in range(150)]
for sock in raw: sock.setblocking(False); sock.connect_ex(("127.0.0.1", 3128))
queue = socket.socketpair(socket.AF_UNIX)
socket.send_fds(queue[0], [b"x"], [kept[0].fileno(), queue[0].fileno(), queue[1].fileno()])
if os.fork() == 0: time.sleep(60)
print("left", flush=True)
os._exit(0)`;
    const looking = `${pythonClient}
rows = [line.split() for name in ("tcp", "tcp6") for line in open("/proc/net/" + name).read().splitlines()[1:]]
states = [(row[1], row[3]) for row in rows if row[3] != "0A"]
print("connections", states, "listeners", sorted(row[1][-4:] for row in rows if row[3] == "0A"))
sock = socks("late.test", ${server.port}); sock.settimeout(.3)
try: print("unasked", sock.recv(100))
except TimeoutError: print("quiet")
sock.sendall(b"q"); print(sock.recv(100))`;
    for (let round = 0; round < 3; round += 1) {
      expect((await runIn(stage.tier, python, leaving, full)).out).toBe("left\n");
      for (const socket of late) if (!socket.destroyed) socket.write("late bytes of another run");
      const result = await runIn(stage.tier, python, looking, full);
      expect(result).toMatchObject({ err: "", out: "connections [] listeners ['0C38', '0C38']\nquiet\nb'answer'\n" });
    }
    await sleep(50);
    const before = late.length;
    await runIn(stage.tier, python, "print(1)", full);
    expect(late.length).toBe(before);
  });
});
