import { readdirSync } from "node:fs";
import { release } from "node:os";
import { holdings } from "@syla/testkit/host-state";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bash, collect, mebibyte, node, python, runIn, specOf, startBeside } from "../sandbox-driver.ts";
import { evaluate, openSession, shell, valueOf } from "../session-driver.ts";
import { createContainers, missing, type TestContainers } from "./containers.ts";

if (missing !== null) process.stdout.write(`\nno container of gVisor's is started: ${missing}\n`);

describe.skipIf(missing !== null)("containers of gVisor's", { timeout: 120_000 }, () => {
  let stage: TestContainers;
  beforeAll(() => {
    stage = createContainers();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  it("run programs on a kernel that is not the host's, and give back what those made", async () => {
    const program = "import os, sys; print(os.uname().release, sys.argv, input()); open('/output/made', 'w').write('x'); sys.exit(3)";
    const result = await runIn(stage.tier, python, program, { args: ["a b"], stdin: Buffer.from("line\n") });
    expect(result.out).toMatch(/^4\.4\.0 \['main\.py', 'a b'\] line\n$/);
    expect(result.out).not.toContain(release());
    expect(result).toMatchObject({ err: "", exit: { exitCode: 3, signal: null, reason: null, outOfMemory: false } });
    expect(result.artifacts.get("made")?.toString()).toBe("x");
  });

  it("run other languages, with what the host has of them", async () => {
    expect(await runIn(stage.tier, bash, "echo out; echo err >&2; kill -9 $$")).toMatchObject({
      out: "out\n",
      err: "err\n",
      exit: { signal: 9 },
    });
    const result = await runIn(stage.tier, node, "console.log(6 * 7)", { entrypoint: "main.mjs", limits: { memoryBytes: 512 * mebibyte } });
    expect(result).toMatchObject({ out: "42\n", err: "" });
  });

  it("end at their time limit and their disk limit, and when they are cancelled", async () => {
    const late = await runIn(stage.tier, python, "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(60)", {
      limits: { wallMs: 500 },
    });
    expect(late.exit).toMatchObject({ reason: "timeout", signal: 9 });
    const disk = await runIn(stage.tier, bash, "for n in 1 2 3 4 5 6 7 8; do head -c 4M /dev/zero > f$n; done; sleep 60", {
      limits: { diskBytes: 8 * mebibyte, wallMs: 60_000 },
    });
    expect(disk.exit.reason).toBe("disk");
    const beside = await startBeside(stage.tier, python, "import time\nprint('here', flush=True)\ntime.sleep(60)");
    await beside.printed("here");
    beside.run.cancel(20_000);
    expect((await beside.result).exit).toMatchObject({ signal: 15 });
  });

  it("are told of the memory that they used up as theirs", async () => {
    const { exit } = await runIn(stage.tier, python, "x = []\nwhile True: x.append(bytearray(1 << 20))", {
      limits: { memoryBytes: 128 * mebibyte },
    });
    expect(exit.outOfMemory).toBe(true);
  });

  it("are sessions, too", async () => {
    await using session = await openSession(stage.tier, { runtime: python });
    expect(await shell(session, "echo $((6 * 7)); pwd")).toMatchObject({ out: "42\n/workspace\n", exitCode: 0 });
    const context = await session.openContext("python");
    await evaluate(context, "x = 20");
    expect(await valueOf(context, "x + 1")).toBe("21");
    await session.end();
    expect((await session.ended).reason).toBe("closed");
  });

  it("are refused what they do not have", async () => {
    await expect(stage.tier.start(specOf(python, "1", { network: "full" }))).rejects.toMatchObject({ code: "network_unavailable" });
    await expect(stage.tier.start(specOf(python, "1", { ports: true }))).rejects.toMatchObject({ code: "network_unavailable" });
  });

  it("are reported by trying one, and leave nothing", async () => {
    expect(await stage.tier.report()).toMatchObject({ available: true, walls: ["gvisor (ptrace)", "bubblewrap", "seccomp"] });
    const broken = createContainers({ programs: { bwrap: "/usr/bin/bwrap", python: "/usr/bin/python3", runsc: "/usr/bin/false" } });
    expect(await broken.tier.report()).toMatchObject({ available: false, walls: [] });
    await broken[Symbol.asyncDispose]();
    await expect.poll(() => readdirSync(stage.folder)).toEqual(["agent"]);
    expect(holdings(stage.folder)).toEqual({ mounts: [], groups: [] });
  });

  it("that end in the middle are a failure of the sandbox", async () => {
    const run = await stage.tier.start(specOf(python, "import time; time.sleep(60)"));
    const result = collect(run);
    result.catch(() => {});
    await stage.tier.stop();
    await expect(result).rejects.toMatchObject({ code: "sandbox_failed" });
  });
});
