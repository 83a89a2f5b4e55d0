import type { Asset } from "@syla/contracts/assets";
import type { CompositionProblem } from "@syla/contracts/compositions";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { placesOf } from "../../src/composition-runs/secrets.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf } from "../catalog/programs.ts";
import { graph, node } from "../compositions/graphs.ts";
import { compositionsOf, python, type Compositions } from "./setting.ts";

let server: TestServer;
let ann: Person;
let bob: Person;
let of: Compositions;
let his: Compositions;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, bob] = [await createAccount(server), await createAccount(server)];
  [of, his] = [compositionsOf(server, ann), compositionsOf(server, bob)];
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;
const credential = async (value: string) =>
  (await of.json<{ id: string }>(of.send("POST", "/credentials", { kind: "program", name: `Secret ${(count += 1)}`, value }))).id;
/** A program of Ann that answers with what its source makes of `text` and `os.environ`. */
async function program(source: string, secrets: readonly object[] = []): Promise<string> {
  const main = `import json, os, sys\ntext = json.load(sys.stdin)["text"]\nprint(json.dumps(${source}))\n`;
  const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "none", packages: [] }, secrets };
  return (await createProgram(server, ann, `Secretive ${(count += 1)}`, { "main.py": main }, { config })).id;
}
const script = (id: string, programId: string) =>
  node(id, "program", { program: { id: programId }, command: ["python3", "main.py"], inputs: [{ name: "text", type: "str" }] });
/** The nodes side by side, each with the text; all their results are one list. */
const together = (...nodes: { id: string }[]) =>
  graph(
    [
      node("in", "input", { name: "text", type: "str", default: "hello" }),
      ...nodes,
      node("all", "merge", { mode: "list", inputs: nodes.map(({ id }) => id) }),
      node("out", "output", { name: "all" }),
    ],
    ...nodes.flatMap(({ id }) => [`in.value -> ${id}.text`, `${id}.result -> all.${id}`]),
    "all.value -> out.value",
  );
const look = (id: string, source: string) => node(id, "code", python(`# ${(count += 1)}\nimport os\n${source}`, ["text"]));
const problemsOf = async (who: Compositions, id: string) =>
  (await who.json<{ problems: CompositionProblem[] }>(who.send("GET", `/compositions/${id}/problems`))).problems;

const value = "s3cr3t-of-the-database";
const other = "an0ther-one-entirely";

it("each program has its own secrets, other nodes have none, and nothing shows them", { timeout: 60_000 }, async () => {
  const [first, second] = [await credential(value), await credential(other)];
  const one = await program(
    `[os.environ["DATABASE_URL"], len(os.environ["DATABASE_URL"]), sorted(n for n in os.environ if "SYLA_SECRET" in n)]`,
    [{ variable: "DATABASE_URL", credentialId: first }],
  );
  const two = await program(`[len(os.environ["DATABASE_URL"]), os.environ["DATABASE_URL"] * 2000]`, [
    { variable: "DATABASE_URL", credentialId: second },
  ]);
  const none = look("none", `return sorted(name for name in os.environ if "DATABASE" in name or "SECRET" in name)`);
  const id = await of.make(together(script("one", one), script("two", two), none));
  expect(await problemsOf(of, id)).toMatchObject([
    { code: "secrets_shared", severity: "warning", node: "one", message: expect.stringContaining("DATABASE_URL") },
    { code: "secrets_shared", severity: "warning", node: "two" },
  ]);
  const run = await of.run(id);
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: "succeeded", stderr: "" });
  const nodes = await of.nodes(run.id);
  const resultOf = (path: string) => nodes.find((each) => each.path === path)?.output;
  expect(resultOf("one")).toEqual({ value: { result: ["[secret]", value.length, []] } });
  expect(resultOf("none")).toEqual({ value: { result: [] } });
  const large = resultOf("two");
  expect(large).toMatchObject({ blob: expect.any(String), preview: expect.stringContaining(`[${other.length}, "[secret][secret]`) });
  const whole = await (await of.send("GET", `/runs/${run.id}/node-value?path=two&side=output`)).json();
  expect(whole).toEqual({ result: [other.length, "[secret]".repeat(2000)] });
  const log = await (await of.send("GET", `/runs/${run.id}/log`)).text();
  for (const text of [JSON.stringify(nodes), JSON.stringify(run), run.stdout, log]) {
    expect(text).not.toContain(value);
    expect(text).not.toContain(other.slice(0, 12));
  }
  expect(run.composition).toMatchObject({ secretVariables: ["DATABASE_URL"], withheldVariables: [] });
  const audited = () =>
    server.context.database.queries.selectFrom("audit_events").select("details").where("action", "=", "run.create").execute();
  await expect
    .poll(async () => (await audited()).map(({ details }) => details), { timeout: 20_000 })
    .toContainEqual({ compositionId: id, secretVariables: ["DATABASE_URL"] });
  // What held a secret is not taken again; what did not is.
  const again = await of.run(id);
  expect(await of.states(again.id)).toMatchObject({ one: "succeeded", two: "succeeded", none: "reused" });
});

it("a failure does not show a secret, nor does what a person is asked about", { timeout: 60_000 }, async () => {
  const credentialId = await credential(value);
  const one = await program(`os.environ["TOKEN"]`, [{ variable: "TOKEN", credentialId }]);
  const drawn = graph(
    [
      node("in", "input", { name: "text", type: "str", default: "hello" }),
      script("one", one),
      node("ask", "approval", { message: "Good?" }),
      node("bad", "code", python("raise ValueError('with ' + v)", ["v"])),
      node("out", "output", { name: "z" }),
    ],
    "in.value -> one.text",
    "one.result -> ask.value",
    "ask.approved -> bad.v",
    "bad.result -> out.value",
  );
  const run = await of.start(await of.make(drawn));
  await of.waitFor(run.id, ({ status }) => status === "waiting");
  const asked = (await of.nodes(run.id)).find(({ path }) => path === "ask");
  expect(asked?.inputs).toEqual({ value: { value: "[secret]" } });
  await of.send("POST", `/runs/${run.id}/decisions`, { path: "ask", approved: true, comment: "" });
  const ended = await of.waitFor(run.id);
  expect(ended).toMatchObject({ status: "failed", error: { node: "bad" } });
  const nodes = await of.nodes(run.id);
  expect(nodes.find(({ path }) => path === "bad")?.error?.message).toBe("ValueError: with [secret]");
  expect(JSON.stringify([ended, nodes])).not.toContain(value);
});

it("whoever may not change both is refused what others' code could read, before anything runs", async () => {
  const credentialId = await credential(value);
  const one = await program(`os.environ.get("TOKEN", "")`, [{ variable: "TOKEN", credentialId, givenTo: "runners" }]);
  const id = await of.make(together(script("one", one)));
  const give = (resourceId: string, level: string) => share(server, ann, { resourceType: "asset", resourceId, level, email: bob.email });
  await give(id, "run");
  await give(one, "run");
  const refused = () => errorOf(his.send("POST", `/compositions/${id}/runs`, {}));
  const before = await his.json(his.send("GET", "/runs?kind=composition"));
  expect(await refused()).toMatchObject({
    code: "secrets_shared",
    detail: expect.stringContaining("TOKEN"),
    details: { programs: [{ program: one, variables: ["TOKEN"] }] },
  });
  expect(await problemsOf(his, id)).toMatchObject([{ code: "secrets_refused", severity: "error", node: "one" }]);
  await give(one, "edit");
  expect(await refused()).toMatchObject({ code: "secrets_shared" });
  expect(await his.json(his.send("GET", "/runs?kind=composition"))).toEqual(before);
  await give(id, "edit");
  const run = await his.run(id);
  expect([run.status, run.composition?.secretVariables]).toEqual(["succeeded", ["TOKEN"]]);
  // Run again when the owner has taken it back.
  const { config } = await of.json<Asset>(of.send("GET", `/assets/${one}`));
  const taken = await of.send("PATCH", `/assets/${one}`, { config: { ...config, secrets: [] } }, { "if-match": "*" });
  expect(taken.status).toBe(200);
  expect(await errorOf(his.send("POST", `/runs/${run.id}/rerun`, {}))).toMatchObject({ code: "forbidden" });
});

it("what an owner keeps to themselves is not there for others, as in runs of the program", async () => {
  const credentialId = await credential(value);
  const one = await program(`"TOKEN" in os.environ`, [{ variable: "TOKEN", credentialId, givenTo: "owner" }]);
  const id = await of.make(together(script("one", one)));
  for (const resourceId of [id, one]) await share(server, ann, { resourceType: "asset", resourceId, level: "run", email: bob.email });
  expect(await problemsOf(his, id)).toMatchObject([{ code: "secrets_withheld", severity: "warning" }]);
  const run = await his.run(id);
  expect([run.status, await his.outputs(run.id)]).toEqual(["succeeded", { out: [false] }]);
  expect(run.composition).toMatchObject({ secretVariables: [], withheldVariables: ["TOKEN"] });
});

it("a variable of the run takes the place of a secret", async () => {
  const credentialId = await credential(value);
  const one = await program(`os.environ["TOKEN"]`, [{ variable: "TOKEN", credentialId }]);
  const run = await of.run(await of.make(together(script("one", one))), { env: { TOKEN: "mine" } });
  expect([await of.outputs(run.id), run.composition?.secretVariables]).toEqual([{ out: ["mine"] }, []]);
});

it("functions of two programs cannot have different secrets in one variable", () => {
  const secret = (programId: string, credentialId: string) => ({ programId, ownerId: "user_1", variable: "TOKEN", credentialId });
  const name = (id: string) => `the program ${id}`;
  const secrets = [secret("a", "cred_1"), secret("b", "cred_2")];
  expect(placesOf(secrets, ["a"], name)).toEqual({ a: { TOKEN: "SYLA_SECRET_0" }, b: { TOKEN: "SYLA_SECRET_1" } });
  expect(() => placesOf(secrets, ["a", "b"], name)).toThrow("the program a and the program b");
  expect(() => placesOf([secret("a", "cred_1"), secret("b", "cred_1")], ["a", "b"], name)).not.toThrow();
});
