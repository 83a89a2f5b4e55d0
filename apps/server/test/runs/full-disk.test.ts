import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execute, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";

/** A small disk; unmounted at the end. */
function mountSmallDisk(path: string): Disposable & { path: string } {
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=0755", "tmpfs", path]);
  return { path, [Symbol.dispose]: () => execFileSync("umount", ["-l", path]) };
}

function fill(file: string): void {
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}

// Mounting a small disk needs root.
describe.runIf(process.getuid?.() === 0)("a data directory on a full disk", () => {
  it("refuses new content, ends what runs truthfully, and works again when there is room", async () => {
    using directory = createTemporaryDirectory();
    using disk = mountSmallDisk(join(directory.path, "data"));
    const dataDir = disk.path;
    await using server = await startTestServer({ SYLA_DATA_DIR: dataDir, SYLA_DRAIN_SECONDS: "0" });
    const filler = join(dataDir, "filler");
    const known = { language: "bash", code: "echo known" };
    const before = await execute(server, known);
    const loud = {
      language: "python",
      code: "import os, sys, time\nprint('began', flush=True)\ntime.sleep(1)\nfor i in range(40): sys.stdout.buffer.write(os.urandom(100_000))\nprint('ended')",
    };
    // More than what is left of the last page of a file.
    const quiet = { language: "bash", code: 'echo "began"; sleep 1; head -c 9000 /dev/urandom | base64; echo "ended"' };
    const running = [await submit(server, loud), await submit(server, quiet)];
    for (const run of running) await waitForRun(server, run.id, ({ stdout }) => stdout.includes("began\n"));

    fill(filler);
    for (const request of [
      () => server.send("POST", "/api/v1/executions", { language: "bash", code: `echo new ${"x".repeat(10_000)}` }),
      () => server.send("POST", "/api/v1/executions?wait=true", { ...known, stdin: "y".repeat(10_000) }),
      () => server.fetch("/api/v1/blobs", { method: "POST", body: Buffer.alloc(2_000_000, 1) }),
    ]) {
      const response = await request();
      expect([response.status, await response.json()]).toMatchObject([507, { code: "storage_full" }]);
    }
    // What was running ends, and says that the server is to blame, not the program.
    for (const run of running)
      expect(await waitForRun(server, run.id)).toMatchObject({
        status: "failed",
        error: { class: "infrastructure", code: "storage_full" },
      });
    // What needs no new content is accepted; its end is not lost either.
    const during = await execute(server, { ...known, args: ["again"] });
    expect([null, "infrastructure"]).toContain(during.error === null ? null : during.error.class);
    // What was stored before can be read.
    expect(await getRun(server, before.id)).toEqual(before);
    expect((await server.fetch("/readyz")).status).toBe(200);

    rmSync(filler);
    expect(await execute(server, { language: "bash", code: "echo room again" })).toMatchObject({
      status: "succeeded",
      stdout: "room again\n",
    });
    expect(await execute(server, { ...loud, code: loud.code.replace("time.sleep(1)", "") })).toMatchObject({ status: "succeeded" });
    expect(readdirSync(join(dataDir, "blobs/incoming"))).toEqual([]);
    await expect.poll(() => readdirSync(join(dataDir, "spool"))).toEqual([]);
  });

  it("does not hang on artifacts that do not fit", async () => {
    using directory = createTemporaryDirectory();
    using disk = mountSmallDisk(join(directory.path, "data"));
    const dataDir = disk.path;
    await using server = await startTestServer({ SYLA_DATA_DIR: dataDir, SYLA_DRAIN_SECONDS: "0" });
    // Fits once, as the program's file; not twice, as the stored artifact besides.
    const run = await execute(server, { language: "python", code: "import os\nopen('/output/large', 'wb').write(os.urandom(15_000_000))" });
    expect(run).toMatchObject({ status: "failed", error: { class: "infrastructure", code: "storage_full" } });
    expect(readdirSync(join(dataDir, "blobs/incoming"))).toEqual([]);
    expect(await execute(server, { language: "bash", code: "echo next" })).toMatchObject({ status: "succeeded" });
  });
});
