import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { createTier, mebibyte } from "./sandbox-driver.ts";
import { evaluate, openSession, shell, valueOf } from "./session-driver.ts";

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

const own = createTier();
const { tier } = own;
afterAll(() => own[Symbol.asyncDispose]());

describe("processes of a session", () => {
  it("start, print, take input, and end with their code or signal", async () => {
    await using session = await openSession(tier, { env: { COLOUR: "blue" } });
    const result = await shell(session, 'echo "$COLOUR $1"; pwd; echo no >&2; exit 3', { cwd: "/tmp", env: { MORE: "x" } });
    expect(result).toMatchObject({ exitCode: 3, signal: null, out: "blue \n/tmp\n", err: "no\n" });
    expect(await shell(session, ["sh", "-c", "kill -9 $$"])).toMatchObject({ exitCode: null, signal: 9 });
    const cat = await session.start({ command: ["cat"], stdin: true });
    const written = cat.write(Buffer.alloc(3 * mebibyte, "x")).then(() => cat.endInput());
    let bytes = 0;
    for await (const { data } of cat.output) bytes += data.length;
    await written;
    expect(bytes).toBe(3 * mebibyte);
    await expect(session.start({ command: ["/no/such/program"] })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(session.start({ command: ["true"], cwd: "/nowhere" })).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("run fifty at once, each with its own output", async () => {
    await using session = await openSession(tier);
    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => shell(session, `sleep 0.2; echo ${index}`)));
    expect(results.map((result) => result.out)).toEqual(Array.from({ length: 50 }, (_, index) => `${index}\n`));
  });

  it("hold up nobody when their output is not read", async () => {
    await using session = await openSession(tier);
    const flood = await session.start({ command: "yes" });
    expect((await shell(session, "echo free")).out).toBe("free\n");
    flood.close();
    await expect.poll(async () => (await session.processes()).length).toBe(0);
  });

  it("end at their own time limit with everything in their session, and by a signal", async () => {
    await using session = await openSession(tier);
    expect(await shell(session, "sleep 60 & sleep 60", { timeoutMs: 200 })).toMatchObject({ signal: 9, timedOut: true });
    const process = await session.start({ command: "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done" });
    const printed: string[] = [];
    for await (const { data } of process.output) if (printed.push(data.toString()) === 1) process.signal(15);
    expect(printed.join("")).toContain("bye");
    expect(await process.exit).toMatchObject({ exitCode: 5 });
    await expect.poll(async () => (await session.processes()).map(({ command }) => command)).toEqual([]);
    await expect(session.signal(99_999, 15)).rejects.toMatchObject({ code: "ESRCH" });
    await expect(session.signal(1, 9)).rejects.toMatchObject({ code: "ESRCH" });
  });

  it("leave background children behind that go on", async () => {
    await using session = await openSession(tier);
    const result = await shell(session, "(sleep 0.3; echo late; echo done > /workspace/mark) & echo now");
    expect(result).toMatchObject({ exitCode: 0, out: "now\n" });
    await expect.poll(async () => (await session.files.stat("mark").catch(() => null))?.size).toBe(5);
  });

  it("may have a terminal that can be resized", async () => {
    await using session = await openSession(tier);
    const terminal = await session.start({ command: ["/bin/bash", "--norc"], terminal: { columns: 90, rows: 30 } });
    let seen = "";
    await terminal.write(Buffer.from("stty size; tty\n"));
    for await (const { data } of terminal.output) {
      seen += data.toString();
      if (seen.includes("30 90") && seen.includes("/dev/pts/0") && !seen.includes("resized")) {
        terminal.resize({ columns: 120, rows: 40 });
        seen += "resized";
        await terminal.write(Buffer.from("stty size; exit 7\n"));
      }
    }
    expect(seen).toContain("40 120");
    expect(await terminal.exit).toMatchObject({ exitCode: 7 });
  });
});

describe("files of a session", () => {
  it("go in and come out byte for byte whatever their names are, whole or in part", async () => {
    await using session = await openSession(tier, { files: [{ path: "given/a.txt", mode: 0o755, content: Buffer.from("given") }] });
    const names = ["with space", "new\nline", "ü", "-rf", "x".repeat(255), Buffer.from([0xff, 0xfe, 0x2e, 0x62]), "100%25"];
    const content = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    for (const name of names) await session.files.write(name, [content], { mode: 0o640 });
    for (const name of names) {
      const { entry, data } = await session.files.read(name, { offset: 10, length: 20 });
      expect(Buffer.concat(await Array.fromAsync(data))).toEqual(content.subarray(10, 30));
      expect(entry).toMatchObject({
        kind: "file",
        size: 256,
        mode: 0o640,
        path: Buffer.concat([Buffer.from("/workspace/"), Buffer.from(name)]),
      });
    }
    const { entries, truncated } = await session.files.list(".", { depth: 5, limit: 100 });
    expect(entries.map((entry) => entry.path.subarray("/workspace/./".length))).toEqual(
      expect.arrayContaining([...names.map((name) => Buffer.from(name)), Buffer.from("given/a.txt")]),
    );
    expect(truncated).toBe(false);
    expect(await session.files.list(".", { depth: 5, limit: 3 })).toMatchObject({ truncated: true, entries: { length: 3 } });
  });

  it("are made, moved, given rights and removed", async () => {
    await using session = await openSession(tier);
    const { files } = session;
    await files.mkdir("a/b/c", { parents: true });
    await expect(files.mkdir("a")).rejects.toMatchObject({ code: "EEXIST" });
    await files.write("a/new/file", [Buffer.from("1")], { parents: true });
    await expect(files.write("nowhere/file", [Buffer.from("1")])).rejects.toMatchObject({ code: "ENOENT" });
    await expect(files.write("a", [Buffer.from("1")])).rejects.toMatchObject({ code: "EISDIR" });
    expect(await files.chmod("a/new/file", 0o700)).toMatchObject({ mode: 0o700 });
    expect((await files.write("a/new/file", [Buffer.from("22")])).mode).toBe(0o700);
    await files.write("other", [Buffer.from("3")]);
    await expect(files.move("other", "a/new/file")).rejects.toMatchObject({ code: "EEXIST" });
    await files.move("other", "a/new/file", { overwrite: true });
    expect(Buffer.concat(await Array.fromAsync((await files.read("a/new/file")).data)).toString()).toBe("3");
    await expect(files.remove("a")).rejects.toMatchObject({ code: "ENOTEMPTY" });
    await files.remove("a", { recursive: true });
    await expect(files.stat("a")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(files.remove("/workspace", { recursive: true })).rejects.toMatchObject({ code: "EBUSY" });
    await expect(files.write("/usr/x", [Buffer.from("1")])).rejects.toMatchObject({ code: "EROFS" });
  });

  it("are as before when an upload is given up, and a pipe is no file", async () => {
    await using session = await openSession(tier);
    await session.files.write("kept", [Buffer.from("old")]);
    async function* cut() {
      yield Buffer.alloc(300_000);
      throw new Error("the client has gone");
    }
    await expect(session.files.write("kept", cut())).rejects.toThrow("the client has gone");
    expect(Buffer.concat(await Array.fromAsync((await session.files.read("kept")).data)).toString()).toBe("old");
    await expect.poll(async () => (await session.files.list(".", { depth: 1, limit: 10 })).entries.length).toBe(1);
    await shell(session, "mkfifo pipe");
    await expect(session.files.read("pipe")).rejects.toMatchObject({ code: "not_a_file" });
    await expect(session.files.write("pipe", [Buffer.from("x")])).rejects.toMatchObject({ code: "not_a_file" });
  });

  it("of a gibibyte go both ways without being held in memory", { timeout: 180_000 }, async () => {
    await using session = await openSession(tier);
    const piece = Buffer.alloc(mebibyte);
    const sent = createHash("sha256");
    let most = 0;
    function* pieces() {
      for (let index = 0; index < 1024; index += 1) {
        piece.writeUInt32BE(index, 0);
        sent.update(piece);
        yield Buffer.from(piece);
        most = Math.max(most, process.memoryUsage().rss);
      }
    }
    const before = process.memoryUsage().rss;
    await session.files.write("big", pieces());
    const received = createHash("sha256");
    for await (const data of (await session.files.read("big")).data) {
      received.update(data);
      most = Math.max(most, process.memoryUsage().rss);
    }
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    expect(most - before).toBeLessThan(300 * mebibyte);
  });

  it("are watched, folders that appear meanwhile too", async () => {
    await using session = await openSession(tier);
    const stop = new AbortController();
    await session.files.mkdir("seen");
    const events = await session.files.watch("seen", { recursive: true, signal: stop.signal });
    await shell(session, "cd seen; echo 1 > a; mkdir -p d/e; echo 2 > d/e/b; rm a");
    const changes = new Map<string, string>();
    for await (const event of events) {
      for (const change of event.changes) changes.set(change.path.toString(), change.type);
      if (changes.has("/workspace/seen/d/e/b") && changes.get("/workspace/seen/a") === "deleted") break;
    }
    stop.abort();
    expect(changes.get("/workspace/seen/d")).toBe("created");
    await expect(session.files.watch("nowhere", { recursive: false, signal: stop.signal })).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("contexts of a session", () => {
  it("of Python keep their variables, show results, await, and survive errors", async () => {
    await using session = await openSession(tier);
    const context = await session.openContext("python");
    expect(await evaluate(context, "import sys\nx = 20\nprint('hi')\nprint('no', file=sys.stderr)")).toEqual([
      "hi\n",
      "no\n",
      { type: "done", status: "ok" },
    ]);
    expect(await valueOf(context, "x + 1")).toBe("21");
    expect(await valueOf(context, "import asyncio\nawait asyncio.sleep(0, 'slept')")).toBe("'slept'");
    const failed = await evaluate(context, "def f():\n  1/0\nf()");
    expect(failed[0]).toMatchObject({ type: "error", name: "ZeroDivisionError", value: "division by zero" });
    expect(failed[0]).toMatchObject({ traceback: expect.stringMatching(/<cell \d+>", line 3[\s\S]*line 2, in f[\s\S]*1\/0/) as unknown });
    expect(failed[0]).toMatchObject({ traceback: expect.not.stringContaining("/run/syla") as unknown });
    const table = "class T:\n  def _repr_html_(self): return '<b>t</b>'\n  def _repr_png_(self): return b'\\x89PNG'\nT()";
    const [shown] = await evaluate(context, table);
    expect(shown).toMatchObject({
      type: "result",
      data: { "text/html": "<b>t</b>", "image/png": Buffer.from("\x89PNG", "latin1").toString("base64") },
    });
    expect((await evaluate(context, "{'a': [1, None]}"))[0]).toMatchObject({ data: { "application/json": { a: [1, null] } } });
    const tableType = "application/vnd.dataresource+json";
    expect((await evaluate(context, "[{'a': 1, 'b': 'x'}, {'a': None, 'c': True}]"))[0]).toMatchObject({
      data: {
        [tableType]: {
          schema: { fields: [{ name: "a" }, { name: "b" }, { name: "c" }] },
          data: [
            { a: 1, b: "x" },
            { a: null, c: true },
          ],
          rows: 2,
        },
      },
    });
    const long = (await evaluate(context, "[{'n': n} for n in range(1500)]"))[0] as {
      data: Record<string, { data: unknown[]; rows: number }>;
    };
    expect([long.data[tableType]?.data.length, long.data[tableType]?.rows]).toEqual([1000, 1500]);
    for (const none of ["[{'a': [1]}]", "[]", "[1]", "[{}]", "{'a': 1}"])
      expect((await evaluate(context, none))[0]).not.toHaveProperty(["data", tableType]);
    expect(await evaluate(context, "display({'text/html': '<i>x</i>', 'image/png': b'\\x89PNG'}, raw=True)")).toEqual([
      {
        type: "display",
        data: { "text/html": "<i>x</i>", "image/png": Buffer.from("\x89PNG", "latin1").toString("base64") },
        omitted: [],
      },
      { type: "done", status: "ok" },
    ]);
    expect((await evaluate(context, "'x' * (5 << 20)"))[0]).toMatchObject({ omitted: ["text/plain"] });
    expect(await evaluate(context, "import os; os.system('echo child')")).toEqual([
      "child\n",
      expect.anything(),
      { type: "done", status: "ok" },
    ]);
    expect((await evaluate(context, "import sys; sys.exit(3)")).at(-1)).toEqual({ type: "done", status: "error" });
    expect(await valueOf(context, "x")).toBe("20");
  });

  it("of JavaScript keep their variables, show results, await, import, and survive errors", async () => {
    await using session = await openSession(tier, {
      files: [{ path: "m.mjs", mode: 0o644, content: Buffer.from("export const seven = 7; export default 8;") }],
    });
    const context = await session.openContext("javascript");
    expect(await evaluate(context, "let x = 20; console.log('hi')")).toEqual(["hi\n", { type: "done", status: "ok" }]);
    expect(await valueOf(context, "x + 1")).toBe("21");
    expect(await valueOf(context, "let x = await Promise.resolve('slept'); x")).toBe("'slept'");
    expect(await valueOf(context, "import eight, { seven as s } from './m.mjs'\n[s, eight]")).toBe("[ 7, 8 ]");
    expect(await valueOf(context, "(await import('node:path')).basename('/a/b')")).toBe("'b'");
    expect(await valueOf(context, "'import(1)'")).toBe("'import(1)'");
    expect((await evaluate(context, "({ a: [1] })"))[0]).toMatchObject({ data: { "application/json": { a: [1] } } });
    const tableType = "application/vnd.dataresource+json";
    const table = { schema: { fields: [{ name: "a" }, { name: "b" }] }, data: [{ a: 1 }, { b: null }], rows: 2 };
    expect((await evaluate(context, "[{ a: 1 }, { b: null }]"))[0]).toMatchObject({ data: { [tableType]: table } });
    expect((await evaluate(context, "[{ a: [1] }]"))[0]).not.toHaveProperty(["data", tableType]);
    const shown = await evaluate(
      context,
      `display.html("<b>x</b>"); display.svg("<svg/>"); display.png(new Uint8Array([137, 80])); display.json({ a: [1] });
       display.table(new Map([[1, 2]]).entries().map(([k, v]) => ({ k, v })));`,
    );
    expect(shown.slice(0, 4)).toMatchObject([
      { type: "display", data: { "text/html": "<b>x</b>" } },
      { data: { "image/svg+xml": "<svg/>" } },
      { data: { "image/png": Buffer.from([137, 80]).toString("base64") } },
      { data: { "application/json": { a: [1] } } },
    ]);
    expect(shown[4]).toMatchObject({ data: { [tableType]: { data: [{ k: 1, v: 2 }], rows: 1 } } });
    expect((await evaluate(context, "null.x"))[0]).toMatchObject({ type: "error", name: "TypeError" });
    expect((await evaluate(context, "let let"))[0]).toMatchObject({ type: "error", name: "SyntaxError" });
    expect(await valueOf(context, "x")).toBe("'slept'");
  });

  it.each(["python", "javascript"] as const)(
    "of %s can be interrupted, wait for one another, and tell when they are lost",
    async (language) => {
      await using session = await openSession(tier);
      const context = await session.openContext(language);
      const words = {
        python: ["x = 5", "while True: pass", "import time; time.sleep(60)", "import os; os._exit(1)"],
        javascript: ["x = 5", "for (;;);", "await new Promise(() => {})", "process.exit(1)"],
      };
      const [assign = "", busy = "", idle = "", exit = ""] = words[language];
      await evaluate(context, assign);
      for (const code of [busy, idle]) {
        const running = context.run(`${language === "python" ? "print" : "console.log"}('on')\n${code}`);
        await running.next();
        context.interrupt();
        expect((await Array.fromAsync(running)).at(-1)).toEqual({ type: "done", status: "interrupted" });
      }
      const values = await Promise.all(
        [1, 2, 3, 4].map((step) => valueOf(context, `x += ${step}\nx`.replace("\nx", language === "python" ? "\nx" : ";x"))),
      );
      expect(values).toEqual(["6", "8", "11", "15"]);
      expect((await evaluate(context, exit)).at(-1)).toEqual({ type: "done", status: "lost" });
      await context.ended;
      expect(await evaluate(context, "1")).toEqual([{ type: "done", status: "lost" }]);
    },
  );

  it.skipIf(!existsSync("/usr/lib/python3/dist-packages/matplotlib"))(
    "show plots as images (needs python3-matplotlib on the system)",
    async () => {
      await using session = await openSession(tier);
      const context = await session.openContext("python");
      const shown = await evaluate(
        context,
        "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()\nplt.figure()\nplt.plot([1]);",
      );
      const images = shown.filter((event) => typeof event === "object" && event.type === "display");
      expect(images).toHaveLength(2);
      for (const image of images) expect(image).toMatchObject({ data: { "image/png": expect.stringMatching(/^iVBORw0KGgo/) as unknown } });
    },
  );
});

describe("a session", () => {
  it("looks at itself: processes, use, and the ports that are listened on", async () => {
    await using session = await openSession(tier);
    await session.files.write("data", [Buffer.alloc(100_000)]);
    const server = await session.start({ command: ["/usr/bin/python3", "-m", "http.server", "8123", "--bind", "127.0.0.1"] });
    await expect.poll(() => session.ports()).toEqual([{ port: 8123, address: "loopback", pid: server.pid }]);
    expect(await session.processes()).toMatchObject([
      { pid: server.pid, started: true, command: ["/usr/bin/python3", "-m", "http.server", "8123", "--bind", "127.0.0.1"] },
    ]);
    expect(await session.stats()).toMatchObject({ processes: 1, diskBytes: 100_000 });
    server.close();
  });

  it("loses nothing over a pause in the middle of output, and leaves alone what was stopped before", async () => {
    await using session = await openSession(tier);
    const stopped = await session.start({ command: "kill -STOP $$; echo woken" });
    await expect.poll(async () => (await session.processes()).find(({ pid }) => pid === stopped.pid)?.state).toBe("T");
    const counting = await session.start({ command: "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done" });
    let text = "";
    let pauses = 0;
    for await (const { data } of counting.output) {
      text += data.toString();
      if (pauses < 3 && text.length > (pauses + 1) * 20_000) {
        pauses += 1;
        await session.pause();
        await session.resume();
      }
    }
    expect(pauses).toBe(3);
    expect(text).toBe(Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(""));
    expect((await session.processes()).find(({ pid }) => pid === stopped.pid)?.state).toBe("T");
    stopped.signal(18);
    expect((await Array.fromAsync(stopped.output)).map(({ data }) => data.toString())).toEqual(["woken\n"]);
  });

  it("stands still while it is paused, and ends all the same", async () => {
    const session = await openSession(tier);
    await session.start({ command: "while :; do echo x >> ticks; sleep 0.01; done" });
    await expect.poll(async () => (await session.files.stat("ticks").catch(() => null))?.size ?? 0).toBeGreaterThan(0);
    await session.pause();
    expect(session.pausedBy).not.toBeNull();
    const [waiting] = await Promise.allSettled([session.files.stat("ticks"), session.end()]);
    expect(waiting).toMatchObject({ status: "rejected", reason: { name: "SessionEndedError" } });
    await expect(session.start({ command: "true" })).rejects.toMatchObject({ name: "SessionEndedError" });
  });

  it("ends at its hard end, and leaves no process and no folder", async () => {
    const alone = createTier();
    const marker = "600.0271828";
    try {
      const session = await openSession(alone.tier, { limits: { wallMs: 700 } });
      await session.start({ command: `setsid sleep ${marker} & sleep ${marker}` });
      expect(await session.ended).toEqual({ reason: "timeout", message: null });
      expect(readdirSync(alone.folder)).not.toContain("jail-0"); // there is one more, made ready for the next
      const running = readdirSync("/proc").map((pid) => readCommand(pid));
      expect(running.filter((command) => command.includes("sleep\0") && command.includes(marker))).toEqual([]);
    } finally {
      await alone[Symbol.asyncDispose]();
    }
    expect(existsSync(alone.folder)).toBe(false);
  });

  it("works without control groups", async () => {
    await using alone = createTier({ withoutCgroups: true });
    await using session = await openSession(alone.tier);
    expect((await shell(session, "echo here")).out).toBe("here\n");
    expect(await valueOf(await session.openContext("javascript"), "6 * 7")).toBe("42");
    expect(await session.pause()).toBe("signals");
    await session.resume();
    expect((await shell(session, "echo again")).out).toBe("again\n");
  });

  it("survives a program that runs out of memory", async () => {
    await using session = await openSession(tier, { limits: { memoryBytes: 128 * mebibyte } });
    expect(await shell(session, ["/usr/bin/python3", "-c", "x = bytearray(400 << 20)"])).toMatchObject({ signal: 9 });
    expect((await shell(session, "echo alive")).out).toBe("alive\n");
  });
});
