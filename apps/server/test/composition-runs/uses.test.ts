import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "@syla/contracts/models";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf } from "../catalog/programs.ts";
import { graph, node } from "../compositions/graphs.ts";
import { openGateway, type GatewaySetting } from "../gateway/gateway-setting.ts";
import { compositionsOf, type Compositions } from "./setting.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("what a composition uses", () => {
  let setting: GatewaySetting;
  let index: TestPackageIndex;
  let of: Compositions;
  let bob: Person;
  let model: Model;

  beforeAll(async () => {
    index = await startTestPackageIndex();
    for (const version of ["1.0", "2.0"]) index.publish({ name: "words", version, files: { "words.py": `VERSION = "${version}"\n` } });
    index.publish({ name: "more", version: "3.0", files: { "more.py": `VERSION = "3.0"\n` } });
    index.publish({
      name: "mellea",
      version: "0.8.1",
      files: {
        "mellea/__init__.py": "",
        "mellea/stdlib/__init__.py": "",
        "mellea/stdlib/session.py": "def start_session(**_):\n    return object()\n\n\nclass MelleaSession: ...\n",
      },
    });
    setting = await openGateway({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url, SYLA_RATE_LIMIT: "0" });
    of = compositionsOf(setting.server, setting.ann);
    bob = await createAccount(setting.server);
    model = await setting.model("Granite");
  }, 120_000);
  afterAll(async () => {
    await setting[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  let count = 0;
  const program = async (files: Record<string, string>, packages: object[] = [], more: object = {}) =>
    (
      await createProgram(
        setting.server,
        setting.ann,
        `Program ${(count += 1)} of them`,
        { "main.py": "pass\n", ...files },
        {
          config: { runtime: "python", entrypoint: "main.py", dependencies: { source: "manual", packages }, ...more },
        },
      )
    ).id;
  const exact = (name: string, version: string) => ({ name, constraint: `==${version}` });
  const slot = (id: string, programId: string, module: string, version?: string) =>
    node(id, "slot", {
      program: { id: programId, ...(version && { version }) },
      module,
      name: "say",
      inputs: [{ name: "text", type: "str" }],
    });
  const script = (id: string, programId: string) =>
    node(id, "program", { program: { id: programId }, command: ["python3", "main.py"], inputs: [{ name: "text", type: "str" }] });
  /** Each node gets the text and the model, where it wants one; their answers are a list. */
  const together = (...nodes: { id: string; kind: string }[]) =>
    graph(
      [
        node("in", "input", { name: "text", type: "str", default: "hello" }),
        node("model", "model", { modelId: "granite", model: { id: model.id } }),
        ...nodes,
        node("all", "merge", { mode: "list", inputs: nodes.map(({ id }) => id) }),
        node("out", "output", { name: "all" }),
      ],
      ...nodes.flatMap(({ id, kind }) => [
        `in.value -> ${id}.text`,
        `${id}.result -> all.${id}`,
        ...(kind === "slot" ? [`model.model -> ${id}.model`] : []),
      ]),
      "all.value -> out.value",
    );
  const say = (text: string, more = "") => `${more}def say(model, text, **_):\n    return ${text}\n`;

  it("is there: modules and programs of the catalog, with all their packages", { timeout: 180_000 }, async () => {
    const one = await program({ "one.py": say("text + words.VERSION", "import words\n") }, [exact("words", "1.0")]);
    const two = await program({ "two.py": say("text + more.VERSION", "import more\n") }, [exact("more", "3.0")]);
    const three = await program({
      "main.py": "import json, sys\nprint(json.dumps(json.load(sys.stdin)['text'] + open('word.txt').read()))\n",
      "word.txt": " from a file",
    });
    const run = await of.run(await of.make(together(slot("a", one, "one"), slot("b", two, "two"), script("c", three))));
    expect({ status: run.status, stderr: run.stderr, error: run.error }).toEqual({ status: "succeeded", stderr: "", error: null });
    expect(await of.outputs(run.id)).toEqual({ out: ["hello1.0", "hello3.0", "hello from a file"] });
    expect(run.composition?.references).toEqual(
      expect.arrayContaining([
        { kind: "program", id: one, version: null },
        { kind: "program", id: three, version: null },
        { kind: "model", id: model.id, version: null },
      ]),
    );
    expect(run.models).toEqual([model.id]);
    // A changed program is another one; a program that has effects is run each time.
    const again = await of.run(run.composition?.id ?? "");
    expect(await of.states(again.id)).toMatchObject({ a: "reused", b: "reused", c: "succeeded" });
    const changes = [{ op: "write", file: { path: "two.py", content: say("text.upper()") } }];
    expect((await of.send("POST", `/programs/${two}/files`, { changes }, { "if-match": "*" })).status).toBe(200);
    const changed = await of.run(run.composition?.id ?? "");
    expect(await of.states(changed.id)).toMatchObject({ a: "reused", b: "succeeded" });
    expect(await of.outputs(changed.id)).toEqual({ out: ["hello1.0", "HELLO", "hello from a file"] });
  });

  it("is refused before the run where it cannot be together", async () => {
    const one = await program({ "one.py": say("text") }, [exact("words", "1.0")]);
    const two = await program({ "two.py": say("text") }, [exact("Words", "2.0")]);
    const before = await of.json<{ items: unknown[] }>(of.send("GET", "/runs?kind=composition&limit=100"));
    const refused = async (drawn: object) => await errorOf(of.send("POST", `/compositions/${await of.make(drawn)}/runs`, {}));
    const versions = await refused(together(slot("a", one, "one"), slot("b", two, "two")));
    expect(versions).toMatchObject({ code: "dependency_conflict", details: { package: "words" } });
    expect(versions.detail).toMatch(/Program \d+ of them ==1\.0 \(node a\), Program \d+ of them ==2\.0 \(node b\)/);
    const same = await program({ "one.py": say("text") });
    expect(await refused(together(slot("a", one, "one"), slot("b", same, "one")))).toMatchObject({
      code: "dependency_conflict",
      details: { module: "one" },
    });
    expect(await of.json(of.send("GET", "/runs?kind=composition&limit=100"))).toEqual(before);
  });

  it("has the packages that its programs have written into their files", { timeout: 180_000 }, async () => {
    const answer = (name: string) => `import json, ${name}\nprint(json.dumps("${name} " + ${name}.VERSION))\n`;
    const one = await program({ "main.py": answer("words"), "requirements.txt": "words<2\n" }, [], {
      dependencies: { source: "requirements", file: "requirements.txt" },
    });
    const project = '[project]\nname = "x"\nversion = "1"\ndependencies = ["more", "words>=1"]\n';
    const two = await program({ "main.py": answer("more"), "pyproject.toml": project }, [], {
      dependencies: { source: "pyproject", file: "pyproject.toml" },
    });
    const run = await of.run(await of.make(together(script("a", one), script("b", two))));
    expect({ status: run.status, stderr: run.stderr, error: run.error }).toEqual({ status: "succeeded", stderr: "", error: null });
    expect(await of.outputs(run.id)).toEqual({ out: ["words 1.0", "more 3.0"] });
    const three = await program({ "requirements.txt": "words>=2\n" }, [], {
      dependencies: { source: "requirements", file: "requirements.txt" },
    });
    expect(
      await errorOf(of.send("POST", `/compositions/${await of.make(together(script("a", one), script("c", three)))}/runs`, {})),
    ).toMatchObject({
      code: "dependency_conflict",
      details: {
        package: "words",
        wishes: [
          { nodes: ["a"], constraint: "<2" },
          { nodes: ["c"], constraint: ">=2" },
        ],
      },
    });
    const four = await program({ "main.js": "", "package.json": '{"dependencies": {"left-pad": "1"}}' }, [], {
      runtime: "node",
      entrypoint: "main.js",
      dependencies: { source: "package.json", file: "package.json" },
    });
    expect(await errorOf(of.send("POST", `/compositions/${await of.make(together(script("d", four)))}/runs`, {}))).toMatchObject({
      code: "dependencies_unsupported",
      details: { program: four, nodes: ["d"] },
    });
  });

  it("has the secrets of its functions' programs as variables, before these are imported", { timeout: 120_000 }, async () => {
    const value = "a-secret-of-the-functions";
    const credential = (name: string) => of.send("POST", "/credentials", { kind: "program", name, value });
    const { id: credentialId } = await of.json<{ id: string }>(credential("For functions"));
    const secrets = [{ variable: "SEARCH_KEY", credentialId }];
    const one = await program({ "one.py": say("[len(KEY), KEY]", 'import os\nKEY = os.environ["SEARCH_KEY"]\n') }, [], { secrets });
    const two = await program({ "main.py": 'import json, os\nprint(json.dumps(os.environ.get("SEARCH_KEY")))\n' });
    const run = await of.run(await of.make(together(slot("a", one, "one"), script("b", two))));
    expect({ status: run.status, stderr: run.stderr, error: run.error }).toEqual({ status: "succeeded", stderr: "", error: null });
    expect(await of.outputs(run.id)).toEqual({ out: [[value.length, "[secret]"], null] });
  });

  it("is for everybody who may run it, and for nobody else", { timeout: 120_000 }, async () => {
    const one = await program({ "main.py": "import json, sys\nprint(json.dumps(json.load(sys.stdin)['text']))\n" });
    const id = await of.make(
      graph(
        [node("in", "input", { name: "text", type: "str", default: "a" }), script("a", one), node("out", "output", { name: "z" })],
        "in.value -> a.text",
        "a.result -> out.value",
      ),
    );
    const his = compositionsOf(setting.server, bob);
    await share(setting.server, setting.ann, { resourceType: "asset", resourceId: id, email: bob.email, level: "run" });
    expect(await errorOf(his.send("POST", `/compositions/${id}/runs`, {}))).toMatchObject({ code: "reference_unusable" });
    await share(setting.server, setting.ann, { resourceType: "asset", resourceId: one, email: bob.email, level: "run" });
    const run = await his.run(id);
    expect([run.status, run.ownerId]).toEqual(["succeeded", bob.id]);
    expect((await of.send("DELETE", `/assets/${one}`)).status).toBeLessThan(300);
    expect(await errorOf(his.send("POST", `/compositions/${id}/runs`, {}))).toMatchObject({ code: "reference_unusable" });
    expect(await errorOf(his.send("POST", `/runs/${run.id}/rerun`, {}))).toMatchObject({ code: "not_found" });
  });

  it("is a model by another name where the run says so, and none that is not there", async () => {
    const drawn = graph(
      [
        node("model", "model", { modelId: "nobody-knows" }),
        node("in", "input", { name: "a", default: 1 }),
        node("out", "output", { name: "z" }),
      ],
      "in.value -> out.value",
    );
    const id = await of.make(drawn);
    expect(await errorOf(of.send("POST", `/compositions/${id}/runs`, {}))).toMatchObject({ code: "unknown_model" });
    const run = await of.run(id, { model: model.slug });
    expect([run.status, run.models]).toEqual(["succeeded", [model.id]]);
  });
});
