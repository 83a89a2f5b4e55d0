import type { Asset, AssetPage, AssetUses } from "@syla/contracts/assets";
import type {
  CompositionCode,
  CompositionDiff,
  CompositionGraph,
  CompositionProblem,
  CreatedComposition,
} from "@syla/contracts/compositions";
import { CompositionConfig } from "@syla/contracts/composition-config";
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
const put = (person: Person, id: string, given: unknown, match: string) =>
  send(person, "PUT", `/compositions/${id}/graph`, { graph: given }, { "if-match": match });

let count = 0;
/** A composition of Ann's with a graph. */
async function make(given: unknown = shout, owner = ann): Promise<Asset> {
  const made = await send(owner, "POST", "/compositions", { name: `Drawn as number ${(count += 1)} of them` });
  expect(made.status).toBe(201);
  const { asset } = await json<CreatedComposition>(made);
  expect((await put(owner, asset.id, given, "*")).status).toBe(200);
  return await get<Asset>(owner, `/assets/${asset.id}`);
}
async function problemsOf(person: Person, id: string): Promise<CompositionProblem[]> {
  return (await get<{ problems: CompositionProblem[] }>(person, `/compositions/${id}/problems`)).problems;
}
const publish = (id: string) => send(ann, "POST", `/assets/${id}/versions`, {});

describe("a composition", () => {
  it("begins empty, with its name", async () => {
    const { asset, missing } = await json<CreatedComposition>(send(ann, "POST", "/compositions", { name: "Begins" }));
    expect(missing).toEqual([]);
    expect(asset).toMatchObject({ type: "composition", name: "Begins", version: null });
    expect(asset.id).toMatch(/^comp_/);
    const read = await send(ann, "GET", `/compositions/${asset.id}/graph`);
    expect(read.headers.get("etag")).toBe(`"${asset.revision}"`);
    expect(await json(read)).toMatchObject({ graph: { format: 1, name: "Begins", nodes: [], edges: [] }, version: null });
  });

  it("is told from its graph", async () => {
    const model = node("m", "model", { model: { id: "model_none" }, modelId: "m" });
    const input = node("n", "input", { name: "count", type: "int", default: 3, description: "how many" });
    const { config } = await make({ ...shout, nodes: [...shout.nodes, model, input] });
    expect(CompositionConfig.parse(config)).toEqual({
      graphHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      inputs: [
        { name: "text", type: "str", description: "", required: true },
        { name: "count", type: "int", description: "how many", required: false, default: 3 },
      ],
      outputs: [{ name: "loud", type: "str", description: "", required: true }],
      references: [{ kind: "model", id: "model_none", version: null }],
      nodes: 5,
      problems: 0,
    });
  });

  it("is changed by its graph alone", async () => {
    const { id, config } = await make();
    const any = { "if-match": "*" };
    expect((await errorOf(send(ann, "PATCH", `/assets/${id}`, { config: { ...config, nodes: 9 } }, any))).code).toBe("invalid_request");
    const changes = [{ op: "write", file: { path: "other.py", content: "1" } }];
    expect((await errorOf(send(ann, "POST", `/programs/${id}/files`, { changes }, any))).code).toBe("invalid_request");
    expect((await errorOf(send(ann, "POST", "/assets", { type: "composition", name: "X", config }))).code).toBe("invalid_request");
    const files = [{ path: "main.py", content: "1" }];
    expect((await errorOf(send(ann, "POST", "/assets", { type: "composition", name: "X", files }))).code).toBe("invalid_graph");
    expect(await get<Asset>(ann, `/assets/${id}`)).toMatchObject({ config });
  });

  it("can be made of its file like any asset", async () => {
    const files = [{ path: "composition.json", content: JSON.stringify(shout) }];
    const made = await json<Asset>(send(ann, "POST", "/assets", { type: "composition", name: "Of a file", files }));
    expect(made).toMatchObject({ type: "composition", config: { nodes: 3, problems: 0 } });
    const empty = await json<Asset>(send(ann, "POST", "/assets", { type: "composition", name: "Of nothing" }));
    expect(await get(ann, `/compositions/${empty.id}/graph`)).toMatchObject({ graph: { name: "Of nothing", nodes: [] } });
  });

  it("compiles, and says which line is which node", async () => {
    const { id } = await make();
    const { code, lines, hash } = await get<CompositionCode>(ann, `/compositions/${id}/code`);
    const [up] = lines.filter((line) => line.node === "up");
    expect(
      code
        .split("\n")
        .slice((up?.from ?? 0) - 1, up?.to)
        .join("\n"),
    ).toContain("text.upper()");
    const moved = { ...shout, nodes: shout.nodes.map((each) => ({ ...each, position: { x: 50, y: 5 } })) };
    await put(ann, id, moved, "*");
    expect(await get(ann, `/compositions/${id}/code`)).toEqual({ code, lines, hash });
  });

  it("keeps versions, tells what differs, is restored and copied", async () => {
    const { id } = await make();
    expect((await publish(id)).status).toBe(201);
    const louder = { ...shout, nodes: shout.nodes.map((each) => (each.id === "up" ? { ...each, label: "Louder" } : each)) };
    await put(ann, id, louder, "*");
    const change = { path: [], node: "up", change: "changed", fields: ["label"] };
    expect(await get<CompositionDiff>(ann, `/compositions/${id}/diff`)).toEqual({ from: "0.1.0", to: "head", nodes: [change], edges: [] });
    expect(await get(ann, `/compositions/${id}/diff?from=head&to=0.1.0`)).toMatchObject({ from: "head", to: "0.1.0", nodes: [change] });
    expect((await errorOf(send(ann, "GET", `/compositions/${id}/diff?from=9.9.9`))).code).toBe("not_found");
    const files = await get<{ config: unknown[]; files: { path: string; hunks: unknown[] }[] }>(ann, `/assets/${id}/diff`);
    expect(files).toMatchObject({ config: [], files: [{ path: "composition.json", additions: 1 }] });
    const copy = await json<Asset>(send(ann, "POST", `/assets/${id}/clone`, {}));
    expect(await get(ann, `/compositions/${copy.id}/graph`)).toMatchObject({ graph: { nodes: [{}, { label: "Louder" }, {}] } });
    await send(ann, "POST", `/assets/${id}/versions/0.1.0/restore`, {}, { "if-match": "*" });
    const before = await get<CompositionGraph>(ann, `/compositions/${id}/graph?version=0.1.0`);
    expect(before.version).toBe("0.1.0");
    expect((await get<CompositionGraph>(ann, `/compositions/${id}/graph`)).graph).toEqual(before.graph);
  });

  it("is published and compiled only without errors, and saved with them", async () => {
    const { id, config } = await make(graph([node("out", "output", { name: "a", type: "str" })]));
    expect(config).toMatchObject({ problems: 1 });
    expect(await problemsOf(ann, id)).toEqual([expect.objectContaining({ code: "missing_input", severity: "error", node: "out" })]);
    expect((await errorOf(publish(id))).code).toBe("composition_invalid");
    const refused = await errorOf(send(ann, "GET", `/compositions/${id}/code`));
    expect(refused).toMatchObject({ code: "composition_invalid", fields: [{ path: "graph.out" }] });
  });

  it("is found by its words, and listed by its type", async () => {
    const { asset } = await json<CreatedComposition>(
      send(ann, "POST", "/compositions", { name: "Zeppelin brochure", tags: ["airship"], description: "A quokka" }),
    );
    for (const query of ["q=zeppelin", "q=quokka", "tags=airship", "type=composition&view=mine"]) {
      const { items } = await get<AssetPage>(ann, `/assets?${query}`);
      expect(items.map(({ id }) => id)).toContain(asset.id);
    }
    expect((await get<AssetPage>(ann, "/assets?type=program")).items.map(({ type }) => type)).not.toContain("composition");
  });
});

describe("two who draw at once", () => {
  it("do not overwrite each other: one is told", async () => {
    const { id, revision } = await make();
    const given = (label: string) => ({ ...shout, nodes: shout.nodes.map((each) => ({ ...each, label })) });
    const answers = await Promise.all(["A", "B", "C"].map(async (label) => await put(ann, id, given(label), `"${revision}"`)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
    const refused = answers.find(({ status }) => status === 412);
    expect(await refused?.json()).toMatchObject({ code: "revision_conflict", details: { current: { id, revision: revision + 1 } } });
    expect((await errorOf(send(ann, "PUT", `/compositions/${id}/graph`, { graph: shout }))).code).toBe("revision_required");
  });

  it("change nothing by saving what is there", async () => {
    const { id, revision } = await make();
    const same = await put(ann, id, shout, `"${revision}"`);
    expect(same.headers.get("etag")).toBe(`"${revision}"`);
  });

  it("take no more room by saving again and again", async () => {
    const { id } = await make();
    const stored = async () =>
      Number(
        (
          await server.context.database.queries
            .selectFrom("uploads")
            .select((select) => select.fn.sum<string>("size").as("bytes"))
            .where("owner_id", "=", ann.id)
            .executeTakeFirst()
        )?.bytes ?? 0,
      );
    const text = (index: number) => ({ ...shout, description: `${index}`.padEnd(10_000, "x") });
    await put(ann, id, text(0), "*");
    const before = await stored();
    for (let index = 1; index <= 5; index += 1) expect((await put(ann, id, text(index), "*")).status).toBe(200);
    expect(await stored()).toBe(before);
    await publish(id);
    await put(ann, id, text(6), "*");
    expect(await stored()).toBeGreaterThan(before + 9000);
    expect((await get<CompositionGraph>(ann, `/compositions/${id}/graph?version=0.1.0`)).graph.description).toMatch(/^5x/);
  });
});

describe("what is used", () => {
  it("must be there, and be theirs to run", async () => {
    const theirs = await createProgram(server, bob, "Bob’s tool");
    const seen = await createProgram(server, bob, "Bob’s shown tool");
    await share(server, bob, { resourceType: "asset", resourceId: seen.id, email: ann.email, level: "view" });
    const gone = await createProgram(server, ann, "Thrown away");
    await send(ann, "DELETE", `/assets/${gone.id}`);
    const tool = (id: string, program: object) => node(id, "program", { program, command: ["python3", "main.py"] });
    const { id } = await make(
      graph(
        [
          tool("a", { id: theirs.id }),
          tool("b", { id: seen.id }),
          tool("c", { id: gone.id }),
          tool("d", { id: gone.id.replace(/.{4}$/, "zzzz") }),
          node("e", "model", { model: { id: theirs.id }, modelId: "m" }),
          node("f", "model", { model: { id: "a\0b" }, modelId: "m" }),
          node("out", "output", { name: "x" }),
          node("i", "input", { name: "y" }),
        ],
        "i.value -> out.value",
      ),
    );
    const found = new Map((await problemsOf(ann, id)).flatMap(({ code, node: at }) => (code.startsWith("reference") ? [[at, code]] : [])));
    expect(Object.fromEntries(found)).toEqual({
      a: "reference_missing",
      b: "reference_forbidden",
      c: "reference_deleted",
      d: "reference_missing",
      e: "reference_missing",
      f: "reference_missing",
    });
    const actor = { userId: ann.id, role: "developer", via: "key" } as const;
    const refused = server.context.compositions.forRun(actor as never, id, undefined);
    await expect(refused).rejects.toMatchObject({ code: "reference_unusable" });
    await share(server, bob, { resourceType: "asset", resourceId: seen.id, email: ann.email, level: "run" });
    expect((await problemsOf(ann, id)).map(({ code }) => code)).not.toContain("reference_forbidden");
  });

  it("is for whoever runs it to have, not for who has drawn it", async () => {
    const tool = await createProgram(server, ann, "Ann’s tool");
    const used = node("a", "program", { program: { id: tool.id }, command: ["python3", "main.py"] });
    const { id } = await make(graph([used, node("out", "output", { name: "x" })], "a.result -> out.value"));
    await share(server, ann, { resourceType: "asset", resourceId: id, email: bob.email, level: "run" });
    const actor = (person: Person) => ({ userId: person.id, role: "developer", via: "key" }) as never;
    const mine = await server.context.compositions.forRun(actor(ann), id, undefined);
    expect(mine.references.map(({ asset }) => asset.asset.id)).toEqual([tool.id]);
    await expect(server.context.compositions.forRun(actor(bob), id, undefined)).rejects.toMatchObject({
      code: "reference_unusable",
      details: { references: [{ kind: "program", id: tool.id, version: null, state: "missing" }] },
    });
    expect((await problemsOf(bob, id)).map(({ code }) => code)).toEqual(["reference_missing"]);
  });

  it("is told of, by what uses it", async () => {
    const tool = await createProgram(server, ann, "Used tool");
    await send(ann, "POST", `/assets/${tool.id}/versions`, { version: "1.0.0" });
    await share(server, ann, { resourceType: "asset", resourceId: tool.id, email: bob.email, level: "run" });
    const using = (version?: string) =>
      graph([node("a", "program", { program: { id: tool.id, ...(version === undefined ? {} : { version }) }, command: ["x"] })]);
    const draft = await make(using());
    const pinned = await make(using("1.0.0"));
    await publish(pinned.id);
    await put(ann, pinned.id, shout, "*");
    const others = await make(using(), bob);
    const { items, others: more } = await get<AssetUses>(ann, `/assets/${tool.id}/uses`);
    expect(items.map(({ id, draft: now, versions }) => ({ id, now, versions }))).toEqual([
      { id: pinned.id, now: false, versions: ["0.1.0"] },
      { id: draft.id, now: true, versions: [] },
    ]);
    expect(more).toBe(1);
    expect(await get<AssetUses>(bob, `/assets/${tool.id}/uses`)).toMatchObject({ items: [{ id: others.id }], others: 0 });
    await send(ann, "DELETE", `/assets/${draft.id}`);
    expect((await get<AssetUses>(ann, `/assets/${tool.id}/uses`)).items).toHaveLength(1);
  });
});

describe("a module", () => {
  it("is told of newer versions of what it was taken from, and is updated", async () => {
    const inner = await make();
    await publish(inner.id);
    const outer = await make(graph([moduleOf("m", { id: inner.id, version: "0.1.0" })]));
    const codes = async () => (await problemsOf(ann, outer.id)).map(({ code }) => code);
    expect(await codes()).not.toContain("update_available");
    await publish(inner.id);
    const problem = (await problemsOf(ann, outer.id)).find(({ code }) => code === "update_available");
    expect(problem).toMatchObject({
      severity: "warning",
      node: "m",
      fix: { action: "update_module", node: "m", composition: inner.id, version: "0.1.1" },
    });
    await put(ann, outer.id, graph([moduleOf("m", { id: inner.id, version: "0.1.1" })]), "*");
    expect(await codes()).not.toContain("update_available");
    await send(ann, "DELETE", `/assets/${inner.id}`);
    const deleted = (await problemsOf(ann, outer.id)).find(({ code }) => code === "reference_deleted");
    expect(deleted).toMatchObject({ severity: "error", fix: { action: "detach_module", node: "m" } });
  });

  it("contains itself neither directly nor through another", async () => {
    const a = await make();
    const b = await make(graph([moduleOf("m", { id: a.id })]));
    expect(await errorOf(put(ann, a.id, graph([moduleOf("m", { id: a.id })]), "*"))).toMatchObject({
      code: "invalid_graph",
      details: { problems: expect.arrayContaining([expect.objectContaining({ code: "self_containing" })]) as unknown },
    });
    const through = moduleOf("n", { id: b.id }, graph([moduleOf("m", { id: a.id })]));
    expect((await errorOf(put(ann, a.id, graph([through]), "*"))).code).toBe("invalid_graph");
    const body = { graph: graph([through]), composition: a.id };
    const checked = await json<{ problems: CompositionProblem[] }>(send(ann, "POST", "/compositions/problems", body));
    expect(checked.problems.map(({ code }) => code)).toContain("self_containing");
    expect((await put(ann, b.id, graph([moduleOf("m", { id: a.id })]), "*")).status).toBe(200);
  });
});
