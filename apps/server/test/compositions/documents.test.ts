import type { Asset } from "@syla/contracts/assets";
import type { CompositionExport, CompositionGraph, CreatedComposition, PaletteItem } from "@syla/contracts/compositions";
import type { Template } from "@syla/contracts/imports";
import { compileGraph } from "@syla/flow/compile";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";
import { graph, moduleOf, node, shout } from "./graphs.ts";

let server: TestServer;
let ann: Person;
let bob: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (person: Person, method: string, path: string, body?: unknown, headers: object = {}) =>
  server.send(method, `/api/v1${path}`, body, { ...person.headers, ...headers });
const get = async <T>(person: Person, path: string) => await json<T>(send(person, "GET", path));
const create = (person: Person, body: object) => send(person, "POST", "/compositions", body);
const made = async (person: Person, body: object) => await json<CreatedComposition>(create(person, body));
const graphOf = async (person: Person, id: string) => (await get<CompositionGraph>(person, `/compositions/${id}/graph`)).graph;

describe("a document", () => {
  it("is a graph again, under ids of its own", async () => {
    const { asset } = await made(ann, { name: "Given away", description: "Shouts", document: shout });
    const document = await get<CompositionExport>(ann, `/compositions/${asset.id}/export`);
    expect(document).toMatchObject({
      format: "syla.composition/1",
      name: "Given away",
      description: "Shouts",
      references: [],
      leftOut: [],
    });
    const { asset: other, missing } = await made(bob, { document });
    expect(missing).toEqual([]);
    expect(other).toMatchObject({ name: "Given away", description: "Shouts", config: { nodes: 3, problems: 0 } });
    const read = await graphOf(bob, other.id);
    const old = new Set(document.graph.nodes.map(({ id }) => id));
    expect(read.nodes.some(({ id }) => old.has(id))).toBe(false);
    expect(read.nodes.map(({ kind, config }) => ({ kind, config }))).toEqual(
      document.graph.nodes.map(({ kind, config }) => ({ kind, config })),
    );
    expect(compileGraph(read).source).toBe(compileGraph(document.graph).source);
    const again = await made(bob, { document });
    expect(again.asset.name).not.toBe(other.name);
  });

  it("holds no secrets", async () => {
    const planted = ["sk-live0123456789abcdefgh", "hunter2hunter2", "cookiesecret", "queryqueryquery", "ghp_0123456789abcdefghij0123"];
    const secret = graph([
      node("h", "http", {
        url: `https://api.example.org/?api_key=${planted[3]}&page=2`,
        headers: { Authorization: `Bearer ${planted[1]}`, Cookie: `a=${planted[2]}`, Accept: "text/plain" },
        allowedHosts: ["api.example.org"],
      }),
      node("c", "code", { language: "python", source: `key = "${planted[0]}"\nreturn key`, inputs: [], returns: "str" }),
      node("m", "map", { concurrency: 2 }, { body: graph([node("p", "instruct", { prompt: `Use ${planted[4]}`, inputs: [] })]) as object }),
    ]);
    const { asset } = await made(ann, { name: "Secretive", document: { ...secret, nodes: secret.nodes.map(withPlainBody) } });
    const answer = await send(ann, "GET", `/compositions/${asset.id}/export`);
    const text = await answer.text();
    for (const word of planted) expect(text).not.toContain(word);
    expect(text).toContain("page=2");
    const { leftOut, graph: kept } = JSON.parse(text) as CompositionExport;
    expect(kept.nodes[0]).toMatchObject({ config: { headers: { Authorization: "", Cookie: "", Accept: "text/plain" } } });
    expect(leftOut.map(({ field }) => field).toSorted()).toEqual([
      "config.headers.Authorization",
      "config.headers.Cookie",
      "config.prompt",
      "config.source",
      "config.url",
    ]);
    expect(leftOut.find(({ field }) => field === "config.prompt")?.path).toHaveLength(1);
    // What is kept here is as it was.
    expect(JSON.stringify(await graphOf(ann, asset.id))).toContain(planted[0]);
  });

  it("names what it uses, and says what of it is not there", async () => {
    const tool = await createProgram(server, ann, "A tool of Ann’s");
    const shown = await createProgram(server, ann, "A tool for Bob");
    await share(server, ann, { resourceType: "asset", resourceId: shown.id, email: bob.email, level: "run" });
    const inner = await made(ann, { name: "Inner", document: shout });
    const using = graph([
      node("a", "program", { program: { id: tool.id }, command: ["python3", "main.py"] }),
      node("b", "slot", { program: { id: shown.id }, module: "main", name: "answer" }),
      node("c", "slot", { program: { id: shown.id, version: "9.0.0" }, module: "main", name: "answer" }),
      moduleOf("m", { id: inner.asset.id }),
    ]);
    const { asset } = await made(ann, { name: "Using", document: using });
    const document = await get<CompositionExport>(ann, `/compositions/${asset.id}/export`);
    expect(document.references).toContainEqual({ kind: "program", id: tool.id, version: null, name: "A tool of Ann’s" });
    const { asset: other, missing } = await made(bob, { document });
    expect(missing.map(({ reference, name }) => ({ ...reference, name }))).toEqual([
      { kind: "program", id: tool.id, version: null, name: "A tool of Ann’s" },
      { kind: "composition", id: inner.asset.id, version: null, name: "Inner" },
    ]);
    const [a, b, , m] = (await graphOf(bob, other.id)).nodes;
    expect(a?.config).toEqual({ command: ["python3", "main.py"], inputs: [], returns: "Any" });
    expect(b?.config).toMatchObject({ program: { id: shown.id } });
    expect(m).toMatchObject({ config: {}, body: { nodes: [{}, {}, {}] } });
    expect(other.config).toMatchObject({ references: [{ kind: "program", id: shown.id, version: null }] });
  });

  it.each([
    ["a list", [1]],
    ["a newer format", { format: "syla.composition/2", graph: shout }],
    ["no graph", { format: "syla.composition/1" }],
    ["a graph of nothing", { format: "syla.composition/1", graph: { format: 1 } }],
    ["more than it should", { format: "syla.composition/1", graph: shout, owner: "me" }],
    ["a newer graph", { ...shout, format: 2 }],
  ])("is refused when it is %s, and nothing is made", async (_, document) => {
    const before = (await get<{ items: Asset[] }>(ann, "/assets?view=mine&type=composition&limit=200")).items.length;
    expect((await errorOf(create(ann, { name: "Never", document }))).code).toBe("invalid_graph");
    expect((await get<{ items: Asset[] }>(ann, "/assets?view=mine&type=composition&limit=200")).items).toHaveLength(before);
  });

  it("is made once for its key", async () => {
    const key = { "idempotency-key": "the same" };
    const body = { name: "Once", document: shout };
    const [one, two] = [await send(ann, "POST", "/compositions", body, key), await send(ann, "POST", "/compositions", body, key)];
    expect((await json<CreatedComposition>(two)).asset.id).toBe((await json<CreatedComposition>(one)).asset.id);
  });
});

describe("templates", () => {
  it("are listed with those of programs, and each becomes a composition without problems", async () => {
    const { items } = await get<{ items: Template[] }>(ann, "/templates");
    const compositions = items.filter(({ type }) => type === "composition");
    expect(compositions.map(({ id }) => id)).toEqual([
      "composition-agent-loop",
      "composition-ensemble-vote",
      "composition-guardian-check",
      "composition-instruct-validate-repair",
      "composition-map-over-dataset",
      "composition-rejection-sampling",
      "composition-repair",
      "composition-summarise-verify-decide",
    ]);
    for (const { id: template, title } of compositions) {
      const { asset } = await made(ann, { template });
      expect(asset).toMatchObject({ name: title, config: { problems: 0 } });
      expect(await get(ann, `/compositions/${asset.id}/problems`)).toEqual({ problems: [] });
      expect((await send(ann, "GET", `/compositions/${asset.id}/code`)).status).toBe(200);
    }
  });

  it("are known, and begin nothing together with a document", async () => {
    expect((await errorOf(create(ann, { template: "hello" }))).code).toBe("template_unknown");
    expect((await errorOf(create(ann, { template: "composition-repair", document: shout }))).code).toBe("invalid_request");
    const asImport = send(ann, "POST", "/imports", { source: { kind: "template", template: "composition-repair" } });
    expect((await errorOf(asImport)).code).toBe("template_unknown");
  });
});

describe("the palette", () => {
  const palette = async (person: Person, query = "") =>
    (await get<{ items: PaletteItem[] }>(person, `/compositions/palette?${query}`)).items;

  it("lists what somebody may run: programs with their slots, models, modules", async () => {
    const source = `from mellea import generative

@generative
def grade(answer: str, strict: bool = True, scale: int = OTHER) -> int:
    """Grade an answer.

    Args:
        answer: what was answered
    """
`;
    const program = await createProgram(server, ann, "Grading", {
      "main.py": "import grading\n",
      "grading.py": source,
      "requirements.txt": "mellea\n",
    });
    await send(ann, "POST", `/assets/${program.id}/versions`, { version: "1.0.0" });
    const analysis = async () => (await get<{ state: string }>(ann, `/programs/${program.id}/analysis?version=1.0.0`)).state;
    await expect.poll(analysis, { timeout: 60_000 }).toBe("done");
    const found = await palette(ann, "q=grading");
    const slot = found.find(({ kind }) => kind === "slot");
    expect(slot).toMatchObject({
      label: "grade",
      asset: { id: program.id, version: "1.0.0" },
      inputs: [
        { name: "answer", type: "str", required: true, description: "what was answered" },
        { name: "strict", type: "bool", required: false },
      ],
      outputs: [{ name: "result", type: "int" }],
      unusable: null,
      config: {
        program: { id: program.id, version: "1.0.0" },
        module: "grading",
        name: "grade",
        inputs: [
          { name: "answer", type: "str" },
          { name: "strict", type: "bool", default: true },
        ],
        returns: "int",
      },
    });
    expect(found.find(({ kind }) => kind === "program")).toMatchObject({ label: "Grading", config: { command: ["python3", "main.py"] } });

    // A node that was placed before the slot changed is told of it, with the change that mends it.
    const { config } = slot as PaletteItem;
    const then = { ...config, inputs: [{ name: "answer", type: "int" }], returns: "str", loopBudget: 5 };
    const { asset } = await made(ann, {
      name: "Grades",
      document: graph([node("s", "slot", then), node("n", "slot", { ...config, name: "gone" })]),
    });
    const { problems } = await get<{ problems: { code: string; message: string; fix?: { config?: object } }[] }>(
      ann,
      `/compositions/${asset.id}/problems`,
    );
    const changed = problems.find(({ code }) => code === "slot_changed");
    expect(changed?.message).toContain("strict is new; answer is str, and was int; it returns int, and returned str");
    expect(changed?.fix).toMatchObject({ action: "set_config", config: { inputs: config["inputs"], returns: "int", loopBudget: 5 } });
    expect(problems.filter(({ code }) => code === "slot_missing")).toHaveLength(1);
  }, 90_000);

  it("has nothing that somebody may only look at, or not at all", async () => {
    const shown = await createProgram(server, ann, "Lookatable");
    await share(server, ann, { resourceType: "asset", resourceId: shown.id, email: bob.email, level: "view" });
    await createProgram(server, ann, "Lookatable too");
    expect(await palette(bob, "q=lookatable")).toEqual([]);
    await share(server, ann, { resourceType: "asset", resourceId: shown.id, email: bob.email, level: "run" });
    expect((await palette(bob, "q=lookatable")).map(({ asset }) => asset.id)).toEqual([shown.id]);
  });

  it("says of a module that it would contain itself, and of one with errors that it has some", async () => {
    const inner = (await made(ann, { name: "Palette inner", document: shout })).asset;
    const outer = (
      await made(ann, {
        name: "Palette outer",
        document: graph(
          [moduleOf("m", { id: inner.id }), ...shout.nodes],
          "in.value -> up.text",
          "up.result -> out.value",
          "in.value -> m.text",
        ),
      })
    ).asset;
    await made(ann, { name: "Palette broken", document: graph([node("o", "output", { name: "x" })]) });
    const unusable = async (within: string) =>
      Object.fromEntries(
        (await palette(ann, `q=palette&type=composition&within=${within}`)).map(({ label, unusable: why }) => [label, why]),
      );
    expect(await unusable(inner.id)).toEqual({
      "Palette inner": "It would contain itself.",
      "Palette outer": "It would contain itself.",
      "Palette broken": "It has errors.",
    });
    expect((await unusable(outer.id))["Palette inner"]).toBeNull();
    const [item] = await palette(ann, "q=palette%20inner");
    expect(item).toMatchObject({
      kind: "module",
      inputs: [{ name: "text", type: "str" }],
      outputs: [{ name: "loud" }],
      config: { composition: { id: inner.id } },
    });
  });

  it("comes by the page", async () => {
    const first = await get<{ items: PaletteItem[]; nextCursor: string }>(ann, "/compositions/palette?limit=1&type=composition");
    const second = await get<{ items: PaletteItem[] }>(ann, `/compositions/palette?limit=1&type=composition&cursor=${first.nextCursor}`);
    expect(first.items[0]?.asset.id).not.toBe(second.items[0]?.asset.id);
    expect((await errorOf(send(ann, "GET", "/compositions/palette?cursor=nonsense"))).code).toBe("invalid_cursor");
  });
});

/** Graphs within are bodies: only nodes and edges. */
function withPlainBody(each: { body?: object | undefined }): object {
  if (each.body === undefined) return each;
  const { nodes, edges } = each.body as { nodes: unknown; edges: unknown };
  return { ...each, body: { nodes, edges } };
}
