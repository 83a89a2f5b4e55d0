import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: TestServer;
let env: Record<string, string>;
let person: { id: string; email: string };

beforeAll(async () => {
  server = await startTestServer({ SYLA_WORKER_SLOTS: "0" });
  env = { SYLA_URL: server.url, SYLA_API_KEY: server.localKey, SYLA_HOME: mkdtempSync(join(tmpdir(), "syla-cli-home-")) };
  const headers = await createPerson(server);
  person = (await (await server.fetch("/api/v1/users/me", { headers })).json()) as { id: string; email: string };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(env["SYLA_HOME"] ?? "", { recursive: true, force: true });
});

describe("syla admin users", () => {
  test("lists, changes the role, suspends and reactivates", async () => {
    const listed = await runCli(["admin", "users", "list", "--role", "developer"], { env });
    expect(listed.stdout).toMatch(new RegExp(`^${person.id}\t[^\t]*\t${person.email}\tdeveloper\tactive\t`));
    expect((await runCli(["admin", "users", "role", person.email, "end_user"], { env })).stdout).toContain("is end_user now");
    expect((await runCli(["admin", "users", "suspend", person.id], { env })).code).not.toBe(0);
    const suspended = await runCli(["admin", "users", "suspend", person.id, "--reason", "spam", "--json"], { env });
    expect(JSON.parse(suspended.stdout)).toMatchObject({ status: "suspended", suspendedReason: "spam" });
    expect((await runCli(["admin", "users", "reactivate", person.email], { env })).stdout).toContain("is active again");
    const reset = await runCli(["admin", "users", "reset-two-factor", person.email, "--reason", "lost"], { env });
    expect(reset.stderr).toContain("has no second factor");
    const unknown = await runCli(["admin", "users", "suspend", "nobody@example.org", "--reason", "x"], { env });
    expect(unknown.stderr).toContain("No account has the e-mail address");
  });
});

describe("syla admin settings", () => {
  test("lists, changes and resets, and says what is wrong", async () => {
    const settings = (...args: string[]) => runCli(["admin", "settings", ...args], { env });
    expect((await settings()).stdout).toMatch(/^signUp\tclosed\tdefault\tnow$/m);
    expect((await settings()).stdout).toMatch(/^workerSlots\t0\tenvironment\tat the next start$/m);
    expect((await settings("signUp", "invite")).stdout).toBe("signUp\tinvite\tadministrator\tnow\n");
    expect(JSON.parse((await settings("signUp", "--json")).stdout)).toMatchObject({ items: [{ value: "invite" }] });
    expect((await settings("signUp", "everybody")).stderr).toContain("must be one of");
    expect((await settings("workerSlots", "3")).code).not.toBe(0);
    expect((await settings("signUp", "--unset")).stdout).toBe("signUp\tclosed\tdefault\tnow\n");
    for (const args of [["nothing"], ["--unset"], ["signUp", "open", "--unset"]]) expect((await settings(...args)).code).toBe(64);
  });
});

describe("syla auth key-quotas", () => {
  test("sets, shows and takes back", async () => {
    const { id } = JSON.parse((await runCli(["auth", "create-key", "CI", "--json"], { env })).stdout) as { id: string };
    const quotas = (...args: string[]) => runCli(["auth", "key-quotas", id, ...args], { env });
    expect((await quotas()).stdout).toContain("runs a day\tnone\t-\t-\n");
    expect((await quotas("--runs-per-day", "5", "--storage-mb", "10")).stdout).toMatch(/^runs a day\t5\t0\t\d{4}-/m);
    expect((await runCli(["auth", "keys"], { env })).stdout).toMatch(new RegExp(`^${id}\tCI\t.*\town\t`, "m"));
    expect(JSON.parse((await quotas("--runs-per-day", "none", "--json")).stdout)).toMatchObject({ apiKeyId: id, name: "CI" });
    expect((await quotas()).stdout).toContain("storage, MB\t10\t0\t-\n");
    expect((await quotas("--concurrent", "-1")).code).not.toBe(0);
    expect((await runCli(["auth", "keys", "--user", person.email], { env })).stdout).toContain("test");
  });
});

describe("syla notifications", () => {
  test("lists, marks as read and deletes", async () => {
    await server.send("POST", "/api/v1/admin/announcements", { title: "Hello everybody" });
    const [entry] = (JSON.parse((await runCli(["notifications", "list", "--json"], { env })).stdout) as { items: { id: string }[] }).items;
    expect((await runCli(["notifications", "list", "--unread"], { env })).stdout).toMatch(/\tnew\tsystem\tHello everybody\t/);
    expect((await runCli(["notifications", "read", "--all"], { env })).stdout).toBe("1 marked as read\n");
    expect((await runCli(["notifications", "list", "--unread"], { env })).stdout).toBe("");
    expect((await runCli(["notifications", "read"], { env })).code).not.toBe(0);
    expect((await runCli(["notifications", "delete", entry?.id ?? ""], { env })).stdout).toBe("1 deleted\n");
    expect((await runCli(["notifications", "list", "--limit", "0"], { env })).code).not.toBe(0);
  });
});
