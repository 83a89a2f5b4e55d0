import { existsSync } from "node:fs";
import { createPerson, execute, followRun, getRun, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import type { RunEvent } from "@syla/contracts/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trimCompilations } from "../../src/runs/compilations/store.ts";

/** Compiling: once for equal source of one owner, in a sandbox, within the server's limits. Needs gcc, as the tests' setup installs it. */

const without = existsSync("/usr/bin/gcc") ? false : "gcc is not installed";
const returning = (code: number, note = "") => `${note}\nint main(void) { return ${code}; }\n`;

/** A program with ten to the so-many-th numbers in it: work for a compiler. */
function numbers(power: number): string {
  const lines = Array.from({ length: power }, (_, level) => `#define A${level + 1} ${`A${level} `.repeat(10)}`);
  return ["#define A0 1,", ...lines, `int a[] = { A${power} };`, "int main(void) { return a[7] - 1; }", ""].join("\n");
}

describe.skipIf(without)("compiling", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const count = async () => (await server.context.database.queries.selectFrom("compilations").select("key").execute()).length;
  const eventsOf = async (id: string) => {
    const events: RunEvent[] = [];
    for await (const event of followRun(server, id)) events.push(event);
    return events;
  };

  it("is a phase of its own, is timed, and happens once for equal source", async () => {
    const program = { language: "c", code: returning(0, "// phase"), entrypoint: "a.c" };
    const first = await execute(server, program);
    expect(first).toMatchObject({ status: "succeeded", timings: { compileCached: false }, phase: null });
    expect(first.timings.compileMs).toBeGreaterThan(0);
    const statuses = (await eventsOf(first.id)).flatMap((event) => (event.type === "status" ? [`${event.status} ${event.phase}`] : []));
    expect(statuses).toEqual(["queued null", "starting waiting_for_sandbox", "starting compiling", "running null"]);

    const second = await execute(server, { ...program, args: ["x"], stdin: "y" });
    expect(second.timings).toMatchObject({ compileMs: 0, compileCached: true });
    const changed = await execute(server, { ...program, files: [{ path: "a.h", content: "" }] });
    expect(changed.timings.compileCached).toBe(false);
    expect((await execute(server, { language: "bash", code: "true" })).timings).toMatchObject({ compileMs: null, compileCached: null });
  });

  it("tells everybody what the compiler said, also the second time", async () => {
    const program = { language: "c", code: "#warning watch out\nint main(void) { return 1; }\n" };
    for (const compileCached of [false, true]) {
      const run = await execute(server, program);
      expect(run.stderr).toMatch(/main\.c:1:2: warning: #warning watch out/);
      expect(run).toMatchObject({ exitCode: 1, error: { code: "nonzero_exit" }, timings: { compileCached } });
    }
  });

  it("that fails ends the run, with the first error's file and line, and is not kept", async () => {
    const before = await count();
    const files = [
      { path: "main.c", content: '#include "part.h"\nint main(void) { return 0; }\n' },
      { path: "part.h", content: "\n\nint broken = ;\n" },
    ];
    const run = await execute(server, { language: "c", entrypoint: "main.c", files });
    expect(run).toMatchObject({ status: "failed", exitCode: null, startedAt: null, error: { class: "user_code", code: "compile_error" } });
    expect(run.error?.location).toMatchObject({ path: "part.h", line: 3 });
    expect(run.stderr).toContain("error:");
    expect(await count()).toBe(before);
    expect(await getRun(server, run.id)).toEqual(run);
  });

  it("of the same source by two at once happens once", async () => {
    const program = { language: "c", code: returning(0, "// twice") };
    const before = await count();
    const runs = await Promise.all(Array.from({ length: 6 }, () => execute(server, program)));
    expect(runs.map((run) => run.status)).toEqual(runs.map(() => "succeeded"));
    expect(await count()).toBe(before + 1);
  });

  it("is never shared between people", async () => {
    const program = { language: "c", code: returning(0, "// mine") };
    expect((await execute(server, program)).timings.compileCached).toBe(false);
    const other = await createPerson(server);
    expect((await execute(server, program, other)).timings.compileCached).toBe(false);
    expect((await execute(server, program, other)).timings.compileCached).toBe(true);
  });

  it("compiles again what the disk has lost", async () => {
    const program = { language: "c", code: returning(0, "// lost") };
    await execute(server, program);
    const { queries } = server.context.database;
    const row = await queries.selectFrom("compilations").selectAll().orderBy("used_at", "desc").executeTakeFirstOrThrow();
    for (const file of row.files as { sha256: string }[]) await server.context.blobs.delete(file.sha256);
    expect(await execute(server, program)).toMatchObject({ status: "succeeded", timings: { compileCached: false } });
  });

  it("forgets what was used longest ago", async () => {
    const person = await createPerson(server);
    for (const note of ["// one", "// two", "// three"]) await execute(server, { language: "c", code: returning(0, note) }, person);
    await execute(server, { language: "c", code: returning(0, "// one") }, person);
    const { queries } = server.context.database;
    const { owner_id: owner } = await queries.selectFrom("compilations").selectAll().orderBy("used_at", "desc").executeTakeFirstOrThrow();
    await trimCompilations(queries, owner, 2, 1e12);
    const cached = async (note: string) =>
      (await execute(server, { language: "c", code: returning(0, note) }, person)).timings.compileCached;
    expect([await cached("// one"), await cached("// three"), await cached("// two")]).toEqual([true, true, false]);
    await trimCompilations(queries, owner, 100, 1);
    expect(await cached("// one")).toBe(false);
  });

  it("gives the program its own files and what was compiled, and refuses a file in its place", async () => {
    const code = '#include <stdio.h>\nint main(void) { puts(fopen("data.txt", "r") ? "there" : "not there"); return 0; }\n';
    expect((await execute(server, { language: "c", code, files: [{ path: "data.txt", content: "" }] })).stdout).toBe("there\n");
    const taken = await execute(server, { language: "c", code, files: [{ path: ".compiled/main", content: "" }] });
    expect(taken.error).toMatchObject({
      class: "user_code",
      code: "compile_error",
      message: expect.stringContaining(".compiled/main") as string,
    });
  });

  it("takes names that look like options, and reads nothing of the host", async () => {
    const odd = await execute(server, { language: "c", code: returning(4), entrypoint: "-o x.c" });
    expect(odd.exitCode).toBe(4);
    const at = await execute(server, { language: "c", code: returning(5), entrypoint: "@x.c" });
    expect(at.exitCode).toBe(5);
    const peek = await execute(server, { language: "c", code: `#include "${server.dataDir}/cli.key"\nint main(void) { return 0; }\n` });
    expect(peek.error).toMatchObject({ code: "compile_error", message: expect.stringContaining("No such file") as string });
  });

  it("can be cancelled, and whoever else waits for it goes on", async () => {
    const code = numbers(6);
    const [first, second] = [await submit(server, { language: "c", code }), await submit(server, { language: "c", code })];
    await waitForRun(server, first.id, (run) => run.phase === "compiling");
    await server.send("POST", `/api/v1/runs/${first.id}/cancel`);
    expect((await waitForRun(server, first.id)).status).toBe("cancelled");
    expect((await waitForRun(server, second.id)).status).toBe("succeeded");
  });

  it("is compiled for a run from the queue too, and for a rerun", async () => {
    const queued = (await (await server.send("POST", "/api/v1/runs", { language: "c", code: returning(0, "// queue") })).json()) as {
      id: string;
    };
    expect(await waitForRun(server, queued.id)).toMatchObject({ status: "succeeded", timings: { compileCached: false } });
    const again = (await (await server.send("POST", `/api/v1/runs/${queued.id}/rerun`)).json()) as { id: string };
    expect(await waitForRun(server, again.id)).toMatchObject({ status: "succeeded", timings: { compileCached: true } });
  });

  it("with an idempotency key happens once", async () => {
    const program = { language: "c", code: returning(0, "// key") };
    const [one, two] = await Promise.all([1, 2].map(() => execute(server, program, { "idempotency-key": "compile" })));
    expect(one?.id).toBe(two?.id);
    expect(one?.status).toBe("succeeded");
  });
});

describe.skipIf(without)("a compiler beyond the server's limits", () => {
  it("is a compile error that names the limit, and leaves the server well", async () => {
    await using server = await startTestServer({ SYLA_COMPILE_SECONDS: "2", SYLA_COMPILE_MEMORY: String(256 * 1024 ** 2) });
    const endless = `#include "/proc/self/fd/0"\n#include "main.c"\n`;
    const forever = numbers(9);
    const slow = await execute(server, { language: "c", code: forever });
    expect(slow.error).toMatchObject({ class: "user_code", code: "compile_error" });
    expect(slow.error?.message).toMatch(/longer than its limit of 2 s|more memory than its limit of 256 MiB/);
    expect(slow.error?.hint).toMatch(/SYLA_COMPILE_/);
    expect((await execute(server, { language: "c", code: endless })).error?.code).toBe("compile_error");
    expect((await execute(server, { language: "c", code: returning(0) })).status).toBe("succeeded");
  });
});
