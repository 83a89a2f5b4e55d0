import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startTestServer } from "@syla/testkit/server";
import { expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

test("signs in by a code that is confirmed in the browser, and then makes, lists and revokes keys", async () => {
  await using server = await startTestServer();
  const token = new URL(server.running.setupUrl ?? "").searchParams.get("token");
  const person = { token, name: "Ada", email: "ada@example.org", password: "analytical engine" };
  const setUp = await server.send("POST", "/api/v1/setup", person, { authorization: "" });
  const cookie = setUp.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
  const home = temporaryFolder();
  const env = { SYLA_HOME: home };
  let decided = false;
  const login = await runCli(["auth", "login", "--url", server.url, "--profile", "work", "--device", "--no-browser"], {
    env,
    onOutput: (_kill, _stdout, stderr) => {
      const code = /shows the code ([A-Z-]{9})/.exec(stderr)?.[1];
      if (code === undefined || decided) return;
      decided = true;
      void server.send("POST", `/api/v1/device-codes/${code}/decision`, { approve: true }, { cookie });
    },
  });
  expect(login).toMatchObject({ code: 0, stdout: `Signed in to ${server.url} as Ada (profile work).\n` });
  const key = /api_key = "([^"]+)"/.exec(readFileSync(join(home, "config.toml"), "utf8"))?.[1] ?? "";
  expect(key).toMatch(/^syla_/);
  expect(login.stdout + login.stderr).not.toContain(key);

  const created = await runCli(["auth", "create-key", "ci", "--scope", "runs:read", "--days", "30", "--per-minute", "60"], { env });
  expect(created.stdout).toMatch(/^syla_\w+\n$/);
  expect((await runCli(["auth", "create-key", "ci", "--scope", "tea:read"], { env })).code).toBe(65);
  expect((await runCli(["auth", "create-key", "ci", "--days", "soon"], { env })).code).toBe(64);
  const listed = JSON.parse((await runCli(["auth", "keys", "--json"], { env })).stdout) as { items: { id: string; scopes: string[] }[] };
  expect(listed.items[0]?.scopes).toEqual(["runs:read"]);
  expect((await runCli(["auth", "revoke-key", listed.items[0]?.id ?? ""], { env })).code).toBe(0);
  expect((await runCli(["auth", "keys"], { env })).stdout).toMatch(/^key_\w+\tsyla on .*\t\*\t-\t-\t\d{4}-/);
  expect((await runCli(["auth", "invite", "bob@example.org"], { env })).code).toBe(77);
});
