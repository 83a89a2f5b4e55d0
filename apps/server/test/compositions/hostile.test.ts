import type { Asset } from "@syla/contracts/assets";
import type { CompositionCode, CompositionGraph, CompositionProblem, CreatedComposition } from "@syla/contracts/compositions";
import { compositionLimits } from "@syla/contracts/compositions";
import type { Problem } from "@syla/contracts/problem";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { graph, node, shout } from "./graphs.ts";

let server: TestServer;
let ann: Person;
let bob: Person;
let id: string;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
  id = (await json<CreatedComposition>(server.send("POST", "/api/v1/compositions", { name: "Target", document: shout }, ann.headers))).asset
    .id;
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (person: Person, method: string, path: string, body?: unknown, headers: object = {}) =>
  server.send(method, `/api/v1${path}`, body, { ...person.headers, ...headers });
const get = async <T>(person: Person, path: string) => await json<T>(send(person, "GET", path));
const put = (given: unknown, person = ann) => send(person, "PUT", `/compositions/${id}/graph`, { graph: given }, { "if-match": "*" });

/** A request whose text is as it is given: no `JSON.stringify` would write it. */
const putText = (text: string) =>
  server.fetch(`/api/v1/compositions/${id}/graph`, {
    method: "PUT",
    headers: { ...ann.headers, "content-type": "application/json", "if-match": "*" },
    body: `{"graph":${text}}`,
  });

const many = (count: number) => Array.from({ length: count }, (_, index) => node(`n${index}`, "note", { text: `${index}` }));

describe("a graph that is none", () => {
  const hostile: [string, string][] = [
    ["nothing", "null"],
    ["a text", `"graph"`],
    ["a list", "[]"],
    ["without a format", `{"nodes":[],"edges":[]}`],
    ["of a newer format", `{"format":2,"nodes":[],"edges":[]}`],
    ["with keys of objects", `{"format":1,"nodes":[],"edges":[],"constructor":{},"toString":1}`],
    ["of nodes that are none", `{"format":1,"nodes":[null,1,"x",[]],"edges":[]}`],
    ["of kinds that there are not", `{"format":1,"nodes":[{"id":"a","kind":"__proto__","config":{}}],"edges":[]}`],
    ["of ids twice", `{"format":1,"nodes":[{"id":"a","kind":"note","config":{}},{"id":"a","kind":"note","config":{}}],"edges":[]}`],
    ["of ids with NUL", `{"format":1,"nodes":[{"id":"a\\u0000","kind":"note","config":{}}],"edges":[]}`],
    ["of places beyond numbers", `{"format":1,"nodes":[{"id":"a","kind":"note","config":{},"position":{"x":1e999,"y":0}}],"edges":[]}`],
    ["deeper than a stack", `{"format":1,"nodes":${"[".repeat(200_000)}${"]".repeat(200_000)},"edges":[]}`],
    [
      "deep in a value",
      JSON.stringify(graph([node("i", "input", { name: "a", default: "DEEP" })])).replace(`"DEEP"`, "[".repeat(5000) + "]".repeat(5000)),
    ],
    ["of too many nodes", JSON.stringify(graph(many(5001)))],
    [
      "of too many things that it uses",
      JSON.stringify(
        graph(
          Array.from({ length: compositionLimits.references + 1 }, (_, index) =>
            node(`m${index}`, "model", { model: { id: `model_${index}` }, modelId: "m" }),
          ),
        ),
      ),
    ],
  ];

  it.each(hostile)("is refused when it is %s, and changes nothing", async (_, text) => {
    const before = await get<CompositionGraph>(ann, `/compositions/${id}/graph`);
    const refused = await errorOf(putText(text));
    expect(refused).toMatchObject({ status: 400, code: "invalid_graph" });
    expect(await get<CompositionGraph>(ann, `/compositions/${id}/graph`)).toEqual(before);
  });

  it("changes no object but itself when it has prototype keys", async () => {
    const keys = `"__proto__":{"isAdmin":true}`;
    expect(await errorOf(putText(`{"format":1,"nodes":[],"edges":[],${keys}}`))).toMatchObject({ status: 400 });
    const inner = `{"id":"i","kind":"input","config":{"name":"a","default":{${keys},"b":{${keys}}}}}`;
    const files = (nodes: string, more = "") => [
      { path: "composition.json", content: `{"format":1,"nodes":[${nodes}],"edges":[]${more}}` },
    ];
    const as = (given: object[]) => send(ann, "POST", "/assets", { type: "composition", name: "Prototypes", files: given });
    expect((await errorOf(as(files("", `,${keys}`)))).code).toBe("invalid_graph");
    expect((await as(files(inner))).status).toBe(201);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each(hostile)("is looked at all the same when it is %s", async (_, text) => {
    const answer = await server.fetch("/api/v1/compositions/problems", {
      method: "POST",
      headers: { ...ann.headers, "content-type": "application/json" },
      body: `{"graph":${text}}`,
    });
    expect(answer.status).toBe(200);
    const { problems } = await json<{ problems: CompositionProblem[] }>(answer);
    expect(problems.some(({ severity }) => severity === "error")).toBe(true);
  });

  it("is refused when it is larger than compositions are", async () => {
    const large = graph(many(200).map((each) => ({ ...each, config: { text: "x".repeat(99_000) } })));
    expect(await errorOf(put(large))).toMatchObject({ status: 413, code: "payload_too_large" });
  });

  it("is told of with where it is wrong", async () => {
    const refused: Problem = await errorOf(put(graph([node("a", "map", {}, { body: { nodes: [node("b", "input")], edges: [] } })])));
    expect(refused).toMatchObject({
      code: "invalid_graph",
      fields: expect.arrayContaining([{ path: "graph.a.b", message: expect.stringContaining("config.name") as unknown }]) as unknown,
      details: { problems: expect.arrayContaining([expect.objectContaining({ code: "bad_config", path: ["a"], node: "b" })]) as unknown },
    });
  });
});

describe("a graph with everything in it", () => {
  it("is kept and told from, whatever its texts are", async () => {
    const given = graph(
      [
        node("i", "input", {
          name: "a\u0000b",
          type: "str\u0000",
          description: "half \ud800",
          default: { __proto__: 1, "\u0000": "\u0000", x: "\udfff" },
        }),
        node("__proto__", "note", { text: "\u0000" }, { label: "\u202eturned" }),
        node("constructor", "output", { name: "__proto__", type: "Any" }),
      ],
      "i.value -> constructor.value",
    );
    expect((await put(given)).status).toBe(200);
    const { config } = await get<Asset>(ann, `/assets/${id}`);
    expect(config).toMatchObject({
      inputs: [{ name: "a\ufffdb", type: "str\ufffd", description: "half \ufffd" }],
      outputs: [{ name: "__proto__" }],
    });
    const { graph: read } = await get<CompositionGraph>(ann, `/compositions/${id}/graph`);
    expect(read.nodes.map((each) => each.id)).toEqual(["i", "__proto__", "constructor"]);
    expect((await get<{ problems: CompositionProblem[] }>(ann, `/compositions/${id}/problems`)).problems.map(({ code }) => code)).toContain(
      "hostile_text",
    );
    for (const path of ["export", "diff", "code"]) expect((await send(ann, "GET", `/compositions/${id}/${path}`)).status).toBeLessThan(500);
    expect((await put(shout)).status).toBe(200);
  });

  it("may be as large as compositions are", async () => {
    const steps = Array.from({ length: 4998 }, (_, index) =>
      node(`c${index}`, "code", { language: "python", source: "return a + 1", inputs: [{ name: "a", type: "int" }], returns: "int" }),
    );
    const nodes = [node("in", "input", { name: "a", type: "int" }), ...steps, node("out", "output", { name: "b", type: "int" })];
    const edges = steps.map((_, index) => `${index === 0 ? "in.value" : `c${index - 1}.result`} -> c${index}.a`);
    const large = graph(nodes, ...edges, "c4997.result -> out.value");
    expect((await put(large)).status).toBe(200);
    expect(await get<Asset>(ann, `/assets/${id}`)).toMatchObject({ config: { nodes: 5000, problems: 0 } });
    const { code, lines } = await get<CompositionCode>(ann, `/compositions/${id}/code`);
    expect(lines.length).toBeGreaterThanOrEqual(4998);
    expect(code.split("\n").length).toBeGreaterThan(4998);
    expect((await get<{ nodes: unknown[] }>(ann, `/compositions/${id}/diff`)).nodes).toHaveLength(5000);
    expect((await put(shout)).status).toBe(200);
  }, 60_000);
});

describe("who may", () => {
  it("draw: those who may edit; look: those who see it", async () => {
    const path = `/compositions/${id}/graph`;
    expect((await errorOf(send(bob, "GET", path))).code).toBe("not_found");
    expect((await errorOf(put(shout, bob))).code).toBe("not_found");
    await share(server, ann, { resourceType: "asset", resourceId: id, email: bob.email, level: "run" });
    expect((await send(bob, "GET", path)).status).toBe(200);
    expect((await errorOf(put(shout, bob))).code).toBe("forbidden");
    await share(server, ann, { resourceType: "asset", resourceId: id, email: bob.email, level: "edit" });
    expect((await put(shout, bob)).status).toBe(200);
  });

  it("call something else a composition: nobody", async () => {
    const files = [{ path: "main.py", content: "print(1)" }];
    const program = await json<Asset>(send(ann, "POST", "/assets", { type: "program", name: "No graph", files }));
    for (const part of ["graph", "problems", "code", "diff", "export"])
      expect((await errorOf(send(ann, "GET", `/compositions/${program.id}/${part}`))).code).toBe("not_found");
    const put_ = send(ann, "PUT", `/compositions/${program.id}/graph`, { graph: shout }, { "if-match": "*" });
    expect((await errorOf(put_)).code).toBe("not_found");
  });

  it("see its secrets: not who has nothing but a link", async () => {
    const secret = graph(
      [
        node("h", "http", {
          url: "https://a.example/",
          headers: { Authorization: "Bearer plantedplantedplanted" },
          allowedHosts: ["a.example"],
        }),
        node("o", "output", { name: "body", type: "str" }),
      ],
      "h.body -> o.value",
    );
    const { asset } = await json<CreatedComposition>(send(ann, "POST", "/compositions", { name: "Linked", document: secret }));
    await server.send("PATCH", "/api/v1/admin/settings", { values: { anonymousLinks: "true" } });
    const made = await json<{ token: string }>(
      send(ann, "POST", "/share-links", { resourceType: "asset", resourceId: asset.id, level: "admin" }),
    );
    const link = { headers: { authorization: `Bearer ${made.token}` } };
    for (const part of ["graph", "code"]) {
      const answer = await server.fetch(`/api/v1/compositions/${asset.id}/${part}`, link);
      expect(answer.status).toBe(200);
      expect(await answer.text()).not.toContain("planted");
      expect(await (await send(ann, "GET", `/compositions/${asset.id}/${part}`)).text()).toContain("planted");
    }
    for (const file of ["files", "file?path=composition.json"])
      expect((await errorOf(server.fetch(`/api/v1/programs/${asset.id}/${file}`, link))).code).toBe("not_found");
    for (const part of ["problems", "export", "diff"])
      expect((await errorOf(server.fetch(`/api/v1/compositions/${asset.id}/${part}`, link))).code).toBe("unauthenticated");
    const change = {
      method: "PUT",
      headers: { ...link.headers, "content-type": "application/json", "if-match": "*" },
      body: JSON.stringify({ graph: shout }),
    };
    expect((await errorOf(server.fetch(`/api/v1/compositions/${asset.id}/graph`, change))).code).toBe("unauthenticated");
  });
});

describe("what is kept", () => {
  it("stays when storage is cleared of what nothing refers to", async () => {
    const kept = await json<CreatedComposition>(send(ann, "POST", "/compositions", { name: "Kept", document: shout }));
    await send(ann, "POST", `/assets/${kept.asset.id}/versions`, {});
    const before = await get<CompositionGraph>(ann, `/compositions/${kept.asset.id}/graph`);
    const other = { ...before.graph, description: "Another one, saved and saved over" };
    const path = `/compositions/${kept.asset.id}/graph`;
    for (const each of [other, { ...other, name: "Last" }]) await send(ann, "PUT", path, { graph: each }, { "if-match": "*" });
    for (let turn = 0; turn < 3; turn += 1) {
      const started = await json<{ id: string }>(server.send("POST", "/api/v1/admin/storage/jobs", { kind: "collect" }));
      await expect
        .poll(async () => (await json<{ state: string }>(server.send("GET", `/api/v1/admin/storage/jobs/${started.id}`))).state, {
          timeout: 30_000,
        })
        .toBe("done");
      await sql`update blob_garbage set since = since - interval '2 days'`.execute(server.context.database.queries);
    }
    expect((await get<CompositionGraph>(ann, path)).graph.name).toBe("Last");
    expect((await get<CompositionGraph>(ann, `${path}?version=0.1.0`)).graph).toEqual(before.graph);
  }, 90_000);

  it("goes with the person, and with what was deleted for good", async () => {
    const carl = await createAccount(server);
    const { asset } = await json<CreatedComposition>(send(carl, "POST", "/compositions", { name: "Carl’s", document: shout }));
    await send(carl, "DELETE", `/assets/${asset.id}`);
    expect((await errorOf(send(carl, "GET", `/compositions/${asset.id}/graph`))).code).toBe("asset_deleted");
    expect((await errorOf(send(carl, "PUT", `/compositions/${asset.id}/graph`, { graph: shout }, { "if-match": "*" }))).code).toBe(
      "asset_deleted",
    );
    await send(carl, "POST", `/assets/${asset.id}/restore`);
    expect((await send(carl, "GET", `/compositions/${asset.id}/graph`)).status).toBe(200);
  });
});
