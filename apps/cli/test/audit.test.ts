import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createPerson, execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let env: Record<string, string>;
beforeAll(async () => {
  server = await startTestServer();
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey };
  await execute(server, { language: "bash", code: "true" });
  await server.context.audit.flushed();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("syla audit", () => {
  test("list shows who did what, one a line", async () => {
    const { code, stdout } = await runCli(["audit", "list", "--action", "run.*", "--outcome", "ok"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d{4}-[^\t]+\t[^\t]+\trun\.create\tok\trun_[0-9a-z]{26}\t127\.0\.0\.1\taud_[0-9a-z]{26}\n$/);
    const page = JSON.parse((await runCli(["audit", "list", "--json", "-n", "1"], { env })).stdout) as { items: unknown[] };
    expect(page.items).toHaveLength(1);
  });

  test.each([
    ["--outcome", "maybe"],
    ["--since", "soon"],
    ["-n", "0"],
  ])("list refuses %s %s", async (...flag) => {
    expect(await runCli(["audit", "list", ...flag], { env })).toMatchObject({ code: 64, stdout: "" });
  });

  test("export writes a file of one's own, and never over another", async () => {
    const file = join(temporaryFolder(), "audit.csv");
    expect(await runCli(["audit", "export", "--format", "csv", "-o", file], { env })).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(file, "utf8")).toMatch(/^id,at,actorId,/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await runCli(["audit", "export", "-o", file], { env })).toMatchObject({ code: 73 });
    const { stdout } = await runCli(["audit", "export", "--action", "run.create"], { env });
    expect(JSON.parse(stdout)).toMatchObject([{ action: "run.create" }]);
    expect(await runCli(["audit", "export", "--format", "xml"], { env })).toMatchObject({ code: 64 });
  });

  test("verify passes, and exits with 1 naming the event that was changed", async () => {
    await server.context.sealer.seal(-60_000);
    expect(await runCli(["audit", "verify"], { env })).toMatchObject({ code: 0, stdout: expect.stringContaining("as it was sealed") });
    const { queries } = server.context.database;
    const { id } = await queries.selectFrom("audit_events").select("id").where("action", "=", "run.create").executeTakeFirstOrThrow();
    await queries.transaction().execute(async (work) => {
      await work
        .selectNoFrom((select) =>
          select.fn("set_config", [select.val("session_replication_role"), select.val("replica"), select.val(true)]).as("role"),
        )
        .execute();
      await work.updateTable("audit_events").set({ ip: "203.0.113.9" }).where("id", "=", id).execute();
    });
    const changed = await runCli(["audit", "verify"], { env });
    expect([changed.code, changed.stdout]).toEqual([1, expect.stringContaining(id)]);
    const asJson = await runCli(["audit", "verify", "--json"], { env });
    expect([asJson.code, JSON.parse(asJson.stdout)]).toMatchObject([1, { ok: false, problem: { kind: "event_changed", eventId: id } }]);
  });

  test("is refused to others", async () => {
    const key = (await createPerson(server)).authorization.replace("Bearer ", "");
    const file = join(temporaryFolder(), "none");
    for (const words of [["list"], ["verify"], ["export", "-o", file]])
      expect(await runCli(["audit", ...words], { env: { ...env, SYLA_API_KEY: key } })).toMatchObject({ code: 77, stdout: "" });
    expect(existsSync(file)).toBe(false);
  });
});

describe("syla usage", () => {
  test("shows the days, and with --json the quotas too", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const { code, stdout } = await runCli(["usage"], { env });
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${today}\t1\t0\t`))]);
    const document = JSON.parse((await runCli(["usage", "--json"], { env })).stdout) as object;
    expect(document).toMatchObject({
      usage: { total: { runs: 1 } },
      quotas: expect.arrayContaining([expect.objectContaining({ name: "storageMb" })]),
    });
    expect(JSON.parse((await runCli(["usage", "--json", "--user", "all"], { env })).stdout)).toMatchObject({ quotas: null });
    expect((await runCli(["usage", "--from", "never"], { env })).code).toBe(65);
  });
});
