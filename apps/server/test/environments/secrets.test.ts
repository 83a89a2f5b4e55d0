import type { Asset } from "@syla/contracts/assets";
import type { Run } from "@syla/contracts/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";

/** Secrets that a program gets from its owner. */

const value = "s3cr3t-of-the-database/+&";
let server: TestServer;
let owner: Person;
let other: Person;
let credentialId = "";
let program: Asset;

const leak = `import base64, os, sys, urllib.parse
secret = os.environ["DATABASE_URL"]
print("plain", secret, flush=True)
print("url", urllib.parse.quote(secret, safe=""), "hex", secret.encode().hex())
print("base64", base64.b64encode(secret.encode()).decode(), base64.b64encode(("user:" + secret + "@host").encode()).decode(), file=sys.stderr)
for letter in secret:
    sys.stdout.write(letter)
    sys.stdout.flush()
os.makedirs("/output", exist_ok=True)
open("/output/note.txt", "w").write("x" * 70000 + secret + "end")
print(" length", len(secret))
raise SystemExit(f"failed with {secret}")`;

beforeAll(async () => {
  server = await startTestServer();
  owner = await createAccount(server);
  other = await createAccount(server);
  const made = await json<{ id: string }>(
    server.send("POST", "/api/v1/credentials", { kind: "program", name: "Database", value }, owner.headers),
  );
  credentialId = made.id;
  const config = { runtime: "python", entrypoint: "main.py", secrets: [{ variable: "DATABASE_URL", credentialId }] };
  program = await createProgram(server, owner, "With a secret", { "main.py": leak }, { config });
});
afterAll(() => server[Symbol.asyncDispose]());

const run = (who: Person, more: object = {}) =>
  server.send("POST", "/api/v1/runs?wait=true", { programId: program.id, ...more }, who.headers);

test("a program's secret is there as a variable, and in nothing that it says or leaves", async () => {
  const done = await json<Run>(run(owner));
  expect(done.stdout).toBe(`plain [secret]\nurl [secret] hex [secret]\n[secret] length ${value.length}\n`);
  expect(done.stderr).toMatch(/^base64 \[secret\]\S* \S*\[secret\]\S*\nfailed with \[secret\]\n$/);
  expect(done).toMatchObject({ status: "failed", env: {}, program: { secretVariables: ["DATABASE_URL"] } });
  const { items } = await json<{ items: { id: string }[] }>(
    server.send("GET", `/api/v1/runs/${done.id}/artifacts`, undefined, owner.headers),
  );
  const artifact = await server.send("GET", `/api/v1/runs/${done.id}/artifacts/${items[0]?.id}`, undefined, owner.headers);
  expect((await artifact.text()).slice(69_998)).toBe("xx[secret]end");
  const [rows, events, log] = await Promise.all([
    server.context.database.queries.selectFrom("runs").selectAll().execute(),
    server.context.database.queries.selectFrom("audit_events").selectAll().execute(),
    (await server.send("GET", `/api/v1/runs/${done.id}/log?format=jsonl`, undefined, owner.headers)).text(),
  ]);
  expect(JSON.stringify([rows, events, log])).not.toContain(value);
});

test("who may run the program and not change it gets it as it is", async () => {
  await server.send(
    "POST",
    "/api/v1/grants",
    { resourceType: "asset", resourceId: program.id, email: other.email, level: "run" },
    owner.headers,
  );
  for (const more of [
    { files: [{ path: "main.py", content: "import os" }] },
    { entrypoint: "x.py" },
    { env: { PYTHONSTARTUP: "x" } },
    { network: "none" },
  ]) {
    const problem = await errorOf(run(other, more));
    expect(problem).toMatchObject({ code: "forbidden", fields: [{ path: Object.keys(more)[0] }] });
  }
  expect((await json<Run>(run(other, { args: ["a"], stdin: "x" }))).stdout).toContain("plain [secret]");
});

test("who gets a secret is the owner's choice for each, now and in versions that were published before", async () => {
  const config = (givenTo: string, entrypoint = "main.py") => ({
    runtime: "python",
    entrypoint,
    secrets: [{ variable: "DATABASE_URL", credentialId, givenTo }],
  });
  const code = "import os\nprint(os.environ.get('DATABASE_URL', 'nothing'))\n";
  const shared = await createProgram(server, owner, "Chosen", { "main.py": code, "b.py": code }, { config: config("runners") });
  await server.send("POST", `/api/v1/assets/${shared.id}/versions`, { version: "1.0.0" }, owner.headers);
  const grant = (level: string) =>
    json<{ id: string }>(
      server.send("POST", "/api/v1/grants", { resourceType: "asset", resourceId: shared.id, email: other.email, level }, owner.headers),
    );
  const give = (givenTo: string, who = owner, entrypoint?: string) =>
    server.send("PATCH", `/api/v1/assets/${shared.id}`, { config: config(givenTo, entrypoint) }, { ...who.headers, "if-match": "*" });
  const runs = async (who: Person, more: object = {}) => {
    const done = await json<Run>(server.send("POST", "/api/v1/runs?wait=true", { programId: shared.id, ...more }, who.headers));
    return [done.stdout.trim(), done.program?.secretVariables, done.program?.withheldVariables];
  };
  const got = ["[secret]", ["DATABASE_URL"], []];
  const withheld = ["nothing", [], ["DATABASE_URL"]];
  await grant("run");
  expect(await runs(other)).toEqual(got);
  const before = await json<Run>(server.send("POST", "/api/v1/runs?wait=true", { programId: shared.id }, other.headers));
  await give("editors");
  expect(await runs(other)).toEqual(withheld);
  expect(await runs(other, { version: "1.0.0" })).toEqual(withheld);
  expect(await runs(other, { env: { A: "b" } })).toEqual(withheld); // there is nothing that could be read
  expect((await errorOf(server.send("POST", `/api/v1/runs/${before.id}/rerun`, undefined, other.headers))).code).toBe("forbidden");
  await grant("edit");
  expect(await runs(other)).toEqual(got);
  // An editor changes what is theirs to change, and not who gets the owner's secrets.
  expect((await give("editors", other, "b.py")).status).toBe(200);
  expect(await errorOf(give("runners", other))).toMatchObject({ code: "credential_unusable" });
  await give("owner");
  expect(await runs(other)).toEqual(withheld);
  expect(await runs(owner)).toEqual(got);
  const noted = async () => {
    const events = await server.context.database.queries.selectFrom("audit_events").select("details").execute();
    return events.map(({ details }) => details);
  };
  const secrets = [{ variable: "DATABASE_URL", credentialId, givenTo: "owner" }];
  await expect.poll(noted).toContainEqual({ changed: ["config"], secrets });
  await expect.poll(noted).toContainEqual({ programId: shared.id, secretVariables: ["DATABASE_URL"] });
});

test("only the owner's own credentials of the kind can be given to a program", async () => {
  const secrets = (id: string, variable = "X") => ({ runtime: "python", entrypoint: "main.py", secrets: [{ variable, credentialId: id }] });
  const create = (who: Person, config: object) =>
    server.send(
      "POST",
      "/api/v1/assets",
      { type: "program", name: "Thief", files: [{ path: "main.py", content: "" }], config },
      who.headers,
    );
  expect(await errorOf(create(other, secrets(credentialId)))).toMatchObject({
    code: "credential_unusable",
    fields: [{ path: "config.secrets.0.credentialId" }],
  });
  const model = await json<{ id: string }>(
    server.send("POST", "/api/v1/credentials", { kind: "model", name: "Model", value: "k-123456" }, owner.headers),
  );
  expect((await errorOf(create(owner, secrets(model.id)))).code).toBe("credential_unusable");
});

test("a run of a program whose secret is gone is refused with the reason, and runs nothing", async () => {
  await server.send("DELETE", `/api/v1/credentials/${credentialId}?force=true`, undefined, owner.headers);
  const failed = await json<Run>(run(owner));
  expect(failed).toMatchObject({ status: "failed", stdout: "", error: { class: "denied", code: "credential_missing" } });
});
