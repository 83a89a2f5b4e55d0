import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Asset, AssetDiff } from "@syla/contracts/assets";
import { DatasetConfig } from "@syla/contracts/dataset-config";
import type { ColumnStatistics, DatasetRow } from "@syla/contracts/datasets";
import type { Run, RunSummary } from "@syla/contracts/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "../../src/access/actor.ts";
import { createHistogram } from "../../src/datasets/histogram.ts";
import { readJsonLines } from "../../src/datasets/reading/json.ts";
import { takeTurn } from "../../src/datasets/reading/parquet-turns.ts";
import { Datasets } from "../../src/datasets/service.ts";
import { countSplits } from "../../src/datasets/splits.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";

let server: TestServer;
let ann: Person;
let bob: Person;
let count = 0;

beforeAll(async () => {
  server = await startTestServer();
  [ann, bob] = await Promise.all([createAccount(server), createAccount(server)]);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Three rows as Apache Arrow 26 writes them, by their compression. */
const parquetFiles = {
  snappy:
    "UEFSMRUEFTAVLkwVBhUAEgAAGAQBAAkBPAIAAAAAAAAAAAAAAAAAABAVABUUFRgsFQYVEBUGFQYcAAAACiQCAAAABgECAyQAFQQVGhUeTBUEFQASAAANMAMAAABBZGECAAAAQm8VABUSFRYsFQYVEBUGFQYcAAAACSACAAAAAwMBAwIVBBUKFQ5MFQIVABIAAAUQAQAAAGEVABUgFSQsFQYVEBUGFQYcAAAAEDwCAAAABgADAAAAAwcAAQIAFQQVCBUMTBUCFQASAAAEDARQAAAVABUSFRYsFQYVEBUGFQYcAAAACSACAAAABgEBBgAVBBUgFSRMFQQVABIAABA8AAAAAAAA+D8AAAAAAAAAQBUAFRIVFiwVBhUQFQYVBhwAAAAJIAIAAAADAwEDAhUEGYw1ABgGc2NoZW1hFQoAFQQlAhgCaWQAFQwlAhgEbmFtZSUATBwAAAA1AhgEdGFncxUCFQZMPAAAADUEGARsaXN0FQIAFQwlAhgHZWxlbWVudCUATBwAAAAVAiUCGANkYXklDExsAAAAFQolAhgFc2NvcmUAFgYZHBlcJgAcFQQZNQAGEBkYAmlkFQIWBhaGARaIASZSJggpLBUEFQAVAgAVABUQFQIAPCkGGSYABgAAACYAHBUMGTUABhAZGARuYW1lFQIWBhZuFnYmygEmkAEpLBUEFQAVAgAVABUQFQIAPBYKGQYZJgIEAAAAJgAcFQwZNQAGEBk4BHRhZ3MEbGlzdAdlbGVtZW50FQIWBhZsFnQmsAImhgIpLBUEFQAVAgAVABUQFQIAPBYCGSYGABlGAgIAAgAAACYAHBUCGTUABhAZGANkYXkVAhYGFlwWZCaiAyb6AiksFQQVABUCABUAFRAVAgA8KQYZJgAGAAAAJgAcFQoZNQAGEBkYBXNjb3JlFQIWBhZ0FnwmngQm3gMpLBUEFQAVAgAVABUQFQIAPCkGGSYCBAAAABawBBYGJggW0gQAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRlcHAAAHAAAHAAAHAAAHAAAAOwBAABQQVIx",
  zstd: "UEFSMRUEFTAVLEwVBhUAEgAAKLUv/SAYbQAAKAEAAgAQAgDg4AFgARUAFRQVJiwVBhUQFQYVBhwAAAAotS/9IApRAAACAAAABgECAyQAFQQVGhUsTBUEFQASAAAotS/9IA1pAAADAAAAQWRhAgAAAEJvFQAVEhUkLBUGFRAVBhUGHAAAACi1L/0gCUkAAAIAAAADAwEDAhUEFQoVHEwVAhUAEgAAKLUv/SAFKQAAAQAAAGEVABUgFTIsFQYVEBUGFQYcAAAAKLUv/SAQgQAAAgAAAAYAAwAAAAMHAAECABUEFQgVGkwVAhUAEgAAKLUv/SAEIQAABFAAABUAFRIVJCwVBhUQFQYVBhwAAAAotS/9IAlJAAACAAAABgEBBgAVBBUgFTJMFQQVABIAACi1L/0gEIEAAAAAAAAAAPg/AAAAAAAAAEAVABUSFSQsFQYVEBUGFQYcAAAAKLUv/SAJSQAAAgAAAAMDAQMCFQQZjDUAGAZzY2hlbWEVCgAVBCUCGAJpZAAVDCUCGARuYW1lJQBMHAAAADUCGAR0YWdzFQIVBkw8AAAANQQYBGxpc3QVAgAVDCUCGAdlbGVtZW50JQBMHAAAABUCJQIYA2RheSUMTGwAAAAVCiUCGAVzY29yZQAWBhkcGVwmABwVBBk1AAYQGRgCaWQVDBYGFoYBFpQBJlAmCCksFQQVABUCABUAFRAVAgA8KQYZJgAGAAAAJgAcFQwZNQAGEBkYBG5hbWUVDBYGFm4WkgEm5AEmnAEpLBUEFQAVAgAVABUQFQIAPBYKGQYZJgIEAAAAJgAcFQwZNQAGEBk4BHRhZ3MEbGlzdAdlbGVtZW50FQwWBhZsFpABJuYCJq4CKSwVBBUAFQIAFQAVEBUCADwWAhkmBgAZRgICAAIAAAAmABwVAhk1AAYQGRgDZGF5FQwWBhZcFoABJvQDJr4DKSwVBBUAFQIAFQAVEBUCADwpBhkmAAYAAAAmABwVChk1AAYQGRgFc2NvcmUVDBYGFnQWmAEmjAUmvgQpLBUEFQAVAgAVABUQFQIAPCkGGSYCBAAAABawBBYGJggWzgUAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRlcHAAAHAAAHAAAHAAAHAAAAPABAABQQVIx",
};

/** A page of one column that says that it holds 250,000,000 numbers. */
const lyingParquet =
  "UEFSMRUAFSAVICwVgMq17gEVChUGFQYAAIABBIDlmncAAAAAAAAAAAAVAhksSAFzFQIAFQIlABgBYQAWBhkcGRwmCBwVAhkVChkYAWEVABaAyrXuARZKFkomCAAAFkoWBgAAOgAAAFBBUjE=";

interface Page {
  readonly items: DatasetRow[];
  readonly nextCursor: string | null;
  readonly total: number | null;
}

const send = (person: Person, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  server.send(method, path, body, { ...person.headers, ...headers });
const post = async (path: string, content: string | Buffer, headers: Record<string, string> = {}, person = ann) =>
  await fetch(`${server.url}${path}`, {
    method: "POST",
    body: typeof content === "string" ? content : new Uint8Array(content),
    headers: { ...person.headers, "content-type": "application/octet-stream", ...headers },
  });
const upload = async (content: string | Buffer, query: Record<string, string> = {}, person = ann) =>
  await post(`/api/v1/datasets?${new URLSearchParams({ name: `Rows ${(count += 1)}`, ...query }).toString()}`, content, {}, person);
const create = async (content: string | Buffer, query: Record<string, string> = {}, person = ann): Promise<Asset> => {
  const answer = await upload(content, query, person);
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  return await json<Asset>(answer);
};
const configOf = (asset: Asset) => DatasetConfig.parse(asset.config);
const queryOf = (query: Record<string, string | number>) =>
  new URLSearchParams(Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)]))).toString();
const page = async (id: string, query: Record<string, string | number> = {}, person = ann) =>
  await json<Page>(send(person, "GET", `/api/v1/datasets/${id}/rows?${queryOf(query)}`));
const allRows = async (id: string, query: Record<string, string | number> = {}) => {
  const rows: DatasetRow[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const read: Page = await page(id, { limit: 200, ...query, ...(cursor === "" ? {} : { cursor }) });
    rows.push(...read.items);
    cursor = read.nextCursor;
  }
  return rows;
};
const values = async (id: string, query: Record<string, string | number> = {}) => (await allRows(id, query)).map((row) => row.values);
const exported = async (id: string, query = "") => await (await send(ann, "GET", `/api/v1/datasets/${id}/export${query}`)).text();
const split = (id: string, splits: object | null, person = ann) =>
  send(person, "POST", `/api/v1/datasets/${id}/splits`, { splits }, { "if-match": "*" });
const thirds = {
  seed: 7,
  shares: [
    { name: "train", percent: 80 },
    { name: "validation", percent: 10 },
    { name: "test", percent: 10 },
  ],
};
const numbers = (rows: number) => `id,word\n${Array.from({ length: rows }, (_, row) => `${row},w${row % 7}`).join("\n")}\n`;

describe("an upload", () => {
  it("becomes rows with a schema, and a first version", async () => {
    const made = await create('id,name,price,ok,day,more\n1,Ada,1.5,true,2026-01-31,"{""a"":1}"\n2,"Bo, ""B""\nC",2,false,2026-02-01,\n', {
      description: "People",
      tags: "one,two",
      filename: "people.csv",
    });
    expect(made).toMatchObject({ type: "dataset", version: "0.1.0", description: "People", tags: ["one", "two"], visibility: "private" });
    expect(made.id).toMatch(/^data_/);
    expect(configOf(made)).toMatchObject({
      format: "csv",
      source: "csv",
      rowCount: 2,
      splits: null,
      columns: [
        { name: "id", type: "integer", empty: 0 },
        { name: "name", type: "string", empty: 0 },
        { name: "price", type: "number", empty: 0 },
        { name: "ok", type: "boolean", empty: 0 },
        { name: "day", type: "date", empty: 0 },
        { name: "more", type: "json", empty: 1 },
      ],
    });
    expect(await page(made.id)).toEqual({
      items: [
        { row: 0, split: null, values: { id: 1, name: "Ada", price: 1.5, ok: true, day: "2026-01-31", more: { a: 1 } } },
        { row: 1, split: null, values: { id: 2, name: 'Bo, "B"\nC', price: 2, ok: false, day: "2026-02-01", more: null } },
      ],
      nextCursor: null,
      total: 2,
    });
  });

  it.each([
    ["TSV", "a\tb\r\n1\tx,y\r\n", { filename: "x.tsv" }],
    ["semicolons", "a;b\n1;x,y\n", {}],
    ["a byte order mark and mixed line ends", '\uFEFFa,b\r\n1,"x,y"\n', {}],
    ["UTF-16", Buffer.from('\uFEFFa,b\n1,"x,y"\n', "utf16le"), {}],
    ["UTF-16 without a mark", Buffer.from('a,b\n1,"x,y"\n', "utf16le").swap16(), {}],
    ["a JSON array", ' [\n {"a": 1,\n "b": "x,y"} ]\n', {}],
    ["JSON Lines", '\n{"a":1,"b":"x,y"}\n\n', {}],
  ])("of %s is read", async (_, content, query) => {
    const made = await create(content, query);
    expect(await values(made.id)).toEqual([{ a: 1, b: "x,y" }]);
  });

  it.each(Object.entries(parquetFiles))("of Parquet with %s is read", async (_, base64) => {
    const made = await create(Buffer.from(base64, "base64"), { filename: "rows.parquet" });
    expect(configOf(made)).toMatchObject({ source: "parquet", format: "jsonl", rowCount: 3 });
    expect(await values(made.id)).toEqual([
      { id: 1, name: "Ada", tags: ["a"], day: "2026-01-31T00:00:00.000Z", score: 1.5 },
      { id: 2, name: "Bo", tags: [], day: "2026-01-31T00:00:00.000Z", score: 2 },
      { id: "1152921504606846976", name: null, tags: null, day: "2026-01-31T00:00:00.000Z", score: null },
    ]);
  });

  it("of Parquet that lies about its size is refused before the memory is taken", async () => {
    const refusal = await errorOf(upload(Buffer.from(lyingParquet, "base64")));
    expect(refusal).toMatchObject({ code: "dataset_malformed", details: { line: 1 } });
    expect(refusal.detail).toContain("more memory");
  });

  it("of Parquet takes turns, and is refused when too many wait", async () => {
    using turns = new DisposableStack();
    turns.use(await takeTurn());
    const waiting = Array.from({ length: 8 }, async () => (await takeTurn())[Symbol.dispose]());
    await expect(takeTurn()).rejects.toMatchObject({ code: "dataset_busy" });
    turns.dispose();
    await Promise.all(waiting);
    (await takeTurn())[Symbol.dispose]();
  });

  it("of JSON that is nested too deep in a table is text", async () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    const made = await create(`a,b\n${deep},[1]\n`);
    expect(configOf(made).columns.map(({ type }) => type)).toEqual(["string", "json"]);
    expect(await values(made.id)).toEqual([{ a: deep, b: [1] }]);
  });

  it("of a long line in very many pieces is read", async () => {
    const text = `{"a":"${"x".repeat(500_000)}"}`;
    async function* pieces() {
      for (let at = 0; at < text.length; at += 16) yield text.slice(at, at + 16);
      yield "\n{}";
    }
    const read: string[] = [];
    for await (const rows of readJsonLines(pieces())) read.push(...rows.map((row) => row.text));
    expect(read).toEqual([text, "{}"]);
  });

  it("in Latin-1 is refused with the place, and read when that is said", async () => {
    const bytes = Buffer.from("name,city\nBo,Z\xfcrich\n", "latin1");
    expect(await errorOf(upload(bytes))).toMatchObject({ code: "dataset_encoding", status: 400, details: { line: 2, column: 5 } });
    expect(await values((await create(bytes, { encoding: "latin1" })).id)).toEqual([{ name: "Bo", city: "Zürich" }]);
  });

  it("keeps what a number would lose", async () => {
    const csv = await create("zip,big\n007,12345678901234567890\n");
    expect(await values(csv.id)).toEqual([{ zip: "007", big: "12345678901234567890" }]);
    const lines = await create('{"big":12345678901234567890}\n');
    expect(await exported(lines.id)).toBe('{"big":12345678901234567890}\n');
  });

  it.each([
    ["nothing", "", {}, "dataset_empty", undefined],
    ["a header alone", "a,b\n", {}, "dataset_empty", undefined],
    ["a ragged row", "a,b\n1,2\n1,2,3\n", {}, "dataset_malformed", { line: 3 }],
    ["an open quote", 'a,b\n1,"2\n', {}, "dataset_malformed", { column: 2 }],
    ["a quote in a value", 'a,b\n1,x"y"\n', {}, "dataset_malformed", { line: 2, column: 2 }],
    ["a column twice", "a,b,a\n1,2,3\n", {}, "dataset_columns", { line: 1, column: 3 }],
    ["a column without a name", "a,,b\n1,2,3\n", {}, "dataset_columns", { line: 1, column: 2 }],
    ["1,001 columns", `${Array.from({ length: 1001 }, (_, index) => `c${index}`).join(",")}\n`, {}, "dataset_columns", { column: 1001 }],
    ["a line without an end", `a,b\n${"x".repeat(3_000_000)}`, {}, "dataset_malformed", { line: 2 }],
    ["a JSON line without an end", `{"a":"${"x".repeat(3_000_000)}`, {}, "dataset_malformed", { line: 1 }],
    ["a JSON mistake", '{"a":1}\n{"a":tru}\n', {}, "dataset_malformed", { line: 2, column: 9 }],
    ["a JSON line that is no object", '{"a":1}\n[1]\n', {}, "dataset_malformed", { line: 2 }],
    ["JSON that is too deep", `{"a":${"[".repeat(200_000)}`, {}, "dataset_malformed", { line: 1 }],
    ["an array with an object cut off", '[{"a":1},\n{"a":', {}, "dataset_malformed", { line: 2 }],
    ["an array of numbers", "[1]", {}, "dataset_malformed", { line: 1, column: 2 }],
    ["an array with something behind it", '[{"a":1}] x', {}, "dataset_malformed", { line: 1, column: 11 }],
    [
      "invalid UTF-8 deep inside",
      Buffer.concat([Buffer.from(`a\n${"é\n".repeat(50_000)}é`), Buffer.from([0xff])]),
      {},
      "dataset_encoding",
      { line: 50_002, column: 2 },
    ],
    ["bytes that are no text", Buffer.from([0x61, 0, 0, 0x62, 0, 0x0a, 0, 0]), { encoding: "utf-8" }, "dataset_format", undefined],
    ["a wrong kind of file", "a,b\n1,2\n", { format: "parquet" }, "dataset_format", undefined],
    ["a broken Parquet file", "PAR1xxxxxxxxPAR1", {}, "dataset_malformed", { line: 1 }],
  ])("of %s is refused with its place, and changes nothing", async (_, content, query, code, details) => {
    const name = `Refused ${(count += 1)}`;
    const refusal = await errorOf(upload(content, { name, ...query }));
    expect(refusal).toMatchObject({ code, ...(details === undefined ? {} : { details }) });
    const found = await json<Page>(send(ann, "GET", `/api/v1/assets?q=${encodeURIComponent(name)}`));
    expect(found.items).toEqual([]);
  });

  it("is refused before it is read to those who may not, under a name that is taken, and to another's account", async () => {
    const made = await create("a\n1\n");
    expect(await errorOf(upload("a\n1\n", { name: made.name.toUpperCase() }))).toMatchObject({ code: "name_taken" });
    expect(await errorOf(upload("a\n1\n", { ownerId: bob.id }))).toMatchObject({ code: "not_found" });
    expect((await post("/api/v1/datasets?name=x", "a\n1\n", { cookie: "", authorization: "" })).status).toBe(401);
    expect((await errorOf(send(ann, "POST", "/api/v1/assets", { type: "dataset", name: "x", config: {} }))).code).toBe("invalid_request");
  });

  it("and another at once are two datasets", async () => {
    const made = await Promise.all([numbers(3000), numbers(5000)].map(async (content) => await create(content)));
    expect(made.map((asset) => configOf(asset).rowCount)).toEqual([3000, 5000]);
    expect((await values(made[1]?.id ?? "")).at(-1)).toEqual({ id: 4999, word: "w1" });
    const name = `Once ${(count += 1)}`;
    const contents = ["a\nonce\n", "a\ntwice\n"];
    const statuses = (await Promise.all(contents.map((content) => upload(content, { name })))).map((answer) => answer.status);
    expect(statuses.toSorted((one, other) => one - other)).toEqual([201, 409]);
    // What the refused one had stored counts for nobody.
    const kept = await server.context.database.queries
      .selectFrom("uploads")
      .select("sha256")
      .where(
        "sha256",
        "in",
        contents.map((content) => hash("sha256", content)),
      )
      .execute();
    expect(kept).toHaveLength(1);
  });

  it("counts to the storage of who made it", async () => {
    const stored = async () => {
      const { items } = await json<{ items: { name: string; used: number }[] }>(send(ann, "GET", "/api/v1/quotas"));
      return items.find(({ name }) => name === "storageMb")?.used ?? 0;
    };
    const before = await stored();
    await create(`text\n${"some words \n".repeat(200_000)}`);
    expect(await stored()).toBeGreaterThan(before);
  });

  it("gives back what was put in, whatever it is", async () => {
    const name = fc
      .string({ minLength: 1, maxLength: 12, unit: "grapheme" })
      .map((text) => `c${text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "").trim()}`);
    const cell = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom('"', '""', ",", "\n", "\r\n", " x ", 'a,b\n"c"', "日本", "😀\u0301", "[1", "-", "1.", "01", "\t;|"),
    );
    const table = fc
      .uniqueArray(name, { minLength: 1, maxLength: 5, selector: (text) => text })
      .chain((names) =>
        fc.tuple(
          fc.constant(names),
          fc.array(fc.array(cell, { minLength: names.length, maxLength: names.length }), { minLength: 1, maxLength: 30 }),
        ),
      );
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(table, async ([names, rows]) => {
        const csv = await create([names, ...rows].map((row) => row.map(quote).join(",")).join("\n"), { format: "csv" });
        const read = await exported(csv.id, "?format=jsonl");
        const texts = read
          .trimEnd()
          .split("\n")
          .map((line) => names.map((column) => textOf((JSON.parse(line) as Record<string, unknown>)[column])));
        expect(
          texts.map((row, at) => row.map((text, column) => text === rows[at]?.[column] || sameValue(text, rows[at]?.[column] ?? ""))),
        ).toEqual(rows.map((row) => row.map(() => true)));
        const again = await create(await exported(csv.id), { format: "csv" });
        expect(configOf(again).contentSha256).toBe(configOf(csv).contentSha256);
      }),
      { numRuns: 10 },
    );
    const object = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 30 }), fc.boolean(), async (rows, asArray) => {
        const text = asArray ? JSON.stringify(rows, null, 2) : rows.map((row) => JSON.stringify(row)).join("\r\n");
        const made = await create(text, { format: asArray ? "json" : "jsonl" });
        const read = (await exported(made.id))
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as unknown);
        expect(read).toEqual(JSON.parse(JSON.stringify(rows)));
        const paged = await values(made.id, { limit: 7 });
        expect(paged.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)))).toEqual(
          (JSON.parse(JSON.stringify(rows)) as Record<string, unknown>[]).map((row) =>
            Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)),
          ),
        );
      }),
      { numRuns: 10 },
    );
  });
});

const textOf = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
/** A value of a typed column is written as JSON writes it. */
const sameValue = (text: string, given: string): boolean => {
  try {
    return JSON.stringify(JSON.parse(given)) === text;
  } catch {
    return false;
  }
};

describe("rows", () => {
  it("are read by the page, from anywhere, some columns of them, and looked for", async () => {
    const { id } = await create(numbers(5000));
    expect((await allRows(id)).map((row) => row.row)).toEqual(Array.from({ length: 5000 }, (_, row) => row));
    expect(await page(id, { offset: 4321, limit: 2, columns: "word" })).toMatchObject({
      items: [
        { row: 4321, values: { word: "w2" } },
        { row: 4322, values: { word: "w3" } },
      ],
      total: 5000,
    });
    expect((await page(id, { offset: 9999 })).items).toEqual([]);
    const found = await page(id, { column: "word", equals: "w3", limit: 3 });
    expect([found.items.map((row) => row.row), found.total]).toEqual([[3, 10, 17], null]);
    expect((await allRows(id, { contains: "W499" })).length).toBe(0);
    expect((await allRows(id, { contains: "499", column: "id" })).map((row) => row.row)).toEqual([
      499,
      1499,
      2499,
      3499,
      4499,
      ...Array.from({ length: 10 }, (_, at) => 4990 + at),
    ]);
    expect(await errorOf(send(ann, "GET", `/api/v1/datasets/${id}/rows?columns=nope`))).toMatchObject({
      code: "column_unknown",
      fields: [{ path: "columns" }],
    });
    expect((await errorOf(send(ann, "GET", `/api/v1/datasets/${id}/rows?cursor=nope`))).code).toBe("invalid_cursor");
    expect((await errorOf(send(ann, "GET", `/api/v1/datasets/${id}/rows?split=train`))).code).toBe("split_unknown");
    expect((await errorOf(send(ann, "GET", `/api/v1/datasets/${id}/rows?version=9.9.9`))).code).toBe("not_found");
  });

  it("have statistics that are right", async () => {
    const { id } = await create(
      `n,word,id\n${Array.from({ length: 2000 }, (_, row) => `${row % 4 === 0 ? "" : row},${"abc"[row % 3]},id-${row}`).join("\n")}\n`,
    );
    const { rowCount, columns } = await json<{ rowCount: number; columns: ColumnStatistics[] }>(
      send(ann, "GET", `/api/v1/datasets/${id}/statistics`),
    );
    const [n, word, ids] = columns;
    expect(rowCount).toBe(2000);
    expect(n).toMatchObject({
      type: "integer",
      count: 1500,
      empty: 500,
      emptyShare: 0.25,
      min: 1,
      max: 1999,
      mean: 1000,
      distinct: null,
      top: [],
    });
    expect(n?.histogram?.reduce((sum, part) => sum + part.count, 0)).toBe(1500);
    expect(n?.histogram?.every((part, index, all) => index === 0 || part.from === all[index - 1]?.to)).toBe(true);
    expect(word).toMatchObject({
      distinct: 3,
      top: [
        { value: "a", count: 667 },
        { value: "b", count: 667 },
        { value: "c", count: 666 },
      ],
      histogram: null,
      longest: 1,
    });
    expect(ids).toMatchObject({ distinct: null, distinctBound: 1000, examples: ["id-0", "id-1", "id-2"] });
  });
});

describe("a histogram", () => {
  it.each([
    ["numbers that nearly are one", [0, 5e-324], 2],
    ["all numbers that there are", [-1.7e308, 0, 1.7e308], 3],
    ["a number far below many others", [...Array.from({ length: 300 }, () => 5e-324), -1.7e308], null],
    ["a number far above many others", [...Array.from({ length: 300 }, (_, index) => 1e15 + index / 8), 1.7e308], 301],
    ["one number", [-0], 1],
  ])("of %s ends", (_, given, counted) => {
    const histogram = createHistogram();
    for (const value of given) histogram.add(value);
    expect(histogram.read()?.reduce((sum, part) => sum + part.count, 0) ?? null).toBe(counted);
  });
});

describe("splits", () => {
  it("of very many rows are counted while others have their turn", async () => {
    let isOthersTurn = false;
    setImmediate(() => (isOthersTurn = true));
    const { shares } = await countSplits(thirds, 250_000);
    expect(shares.reduce((sum, { rows }) => sum + rows, 0)).toBe(250_000);
    expect(isOthersTurn).toBe(true);
  });

  it("change the revision that was read, whichever it is", async () => {
    const revisions: unknown[] = [];
    const catalog = {
      requireChangeable: async () => {},
      resolve: async () => ({ tree: {}, config: {}, asset: { revision: 3 } }),
      update: async (...[, , , revision]: unknown[]) => {
        revisions.push(revision);
        return { id: "", revision: 4 };
      },
      publish: async () => {},
      get: async () => ({}),
    };
    const datasets = new Datasets({ catalog } as unknown as ConstructorParameters<typeof Datasets>[0]);
    for (const revision of ["*", 2] as const) await datasets.split({} as Actor, "", { splits: null }, revision);
    expect(revisions).toEqual([3, 2]);
  });

  it("share the rows out by the seed alone, are a version, and stay", async () => {
    const { id } = await create(numbers(4000));
    const changed = await json<Asset>(split(id, thirds));
    expect(changed.version).toBe("0.1.1");
    const shares = configOf(changed).splits?.shares ?? [];
    expect(shares.reduce((sum, { rows }) => sum + rows, 0)).toBe(4000);
    expect(shares.map(({ rows, percent }) => Math.abs(rows / 40 - percent) < 2)).toEqual([true, true, true]);
    const test = await allRows(id, { split: "test" });
    expect(test.length).toBe(shares[2]?.rows);
    expect(test.every((row) => row.split === "test")).toBe(true);
    expect((await page(id, { split: "test", offset: 100, limit: 1 })).items).toEqual([test[100]]);
    // The rows of a seed are a promise: these numbers never change.
    expect(test.slice(0, 5).map((row) => row.row)).toEqual(firstOfSeed7);
    const again = await create(numbers(4000));
    await split(again.id, thirds);
    expect((await allRows(again.id, { split: "test" })).map((row) => row.row)).toEqual(test.map((row) => row.row));
    await split(id, { ...thirds, seed: 8 });
    expect((await allRows(id, { split: "test" })).map((row) => row.row)).not.toEqual(test.map((row) => row.row));
    expect(await allRows(id, { split: "test", version: "0.1.1" })).toEqual(test);
    expect((await exported(id, "?version=0.1.1&split=test&format=jsonl")).trimEnd().split("\n")).toEqual(
      test.map((row) => JSON.stringify(row.values)),
    );
    expect((await exported(id, "?version=0.1.1&split=test")).split("\n")).toHaveLength(test.length + 2);
  });

  it.each([
    ["that do not add up", { shares: [{ name: "a", percent: 50 }] }],
    [
      "of one name",
      {
        shares: [
          { name: "a", percent: 50 },
          { name: "a", percent: 50 },
        ],
      },
    ],
    ["without a name", { shares: [{ name: "", percent: 100 }] }],
  ])("%s are refused", async (_, splits) => {
    const { id } = await create("a\n1\n");
    expect((await errorOf(split(id, splits))).code).toBe("invalid_request");
  });
});

describe("a dataset", () => {
  it("is an asset like any other: other rows are a version, which can be compared, restored, cloned and shared", async () => {
    const made = await create("a,b\n1,x\n2,y\n");
    await split(made.id, thirds);
    const replaced = await json<Asset>(
      post(`/api/v1/datasets/${made.id}/content?message=More`, "a,c\n1,x\n2,y\n3,z\n", { "if-match": '"4"' }),
    );
    expect(replaced.version).toBe("0.1.2");
    const diff = await json<AssetDiff>(send(ann, "GET", `/api/v1/assets/${made.id}/diff?from=0.1.0&to=0.1.2`));
    expect(diff.config.map(({ field }) => field).toSorted()).toEqual(["columns", "contentSha256", "rowCount", "splits"]);
    expect(diff.files.map(({ path, additions, deletions }) => [path, additions, deletions])).toEqual([["rows.csv", 2, 1]]);
    expect(await values(made.id, { version: "0.1.0" })).toEqual([
      { a: 1, b: "x" },
      { a: 2, b: "y" },
    ]);
    await send(ann, "POST", `/api/v1/assets/${made.id}/versions/0.1.0/restore`, undefined, { "if-match": "*" });
    expect(await values(made.id)).toEqual([
      { a: 1, b: "x" },
      { a: 2, b: "y" },
    ]);
    const copy = await json<Asset>(send(ann, "POST", `/api/v1/assets/${made.id}/clone`, {}));
    expect(await values(copy.id)).toEqual(await values(made.id));
    expect((await send(bob, "GET", `/api/v1/datasets/${made.id}/rows`)).status).toBe(404);
    await share(server, ann, { resourceType: "asset", resourceId: made.id, email: bob.email, level: "view" });
    expect((await page(made.id, {}, bob)).total).toBe(2);
    expect((await post(`/api/v1/datasets/${made.id}/content`, "a\n1\n", { "if-match": "*" }, bob)).status).toBe(403);
    await send(ann, "DELETE", `/api/v1/assets/${made.id}`);
    expect((await send(bob, "GET", `/api/v1/datasets/${made.id}/rows`)).status).toBe(404);
    expect((await errorOf(split(made.id, null))).code).toBe("asset_deleted");
  });

  it("is changed by its rows alone, and by who has seen what it is", async () => {
    const made = await create("a\n1\n");
    const change = await errorOf(send(ann, "PATCH", `/api/v1/assets/${made.id}`, { config: made.config }, { "if-match": "*" }));
    expect(change).toMatchObject({ code: "invalid_request", fields: [{ path: "config" }] });
    const files = await errorOf(
      send(ann, "POST", `/api/v1/programs/${made.id}/files`, { changes: [{ op: "delete", path: "rows.csv" }] }, { "if-match": "*" }),
    );
    expect(files.code).toBe("invalid_request");
    const content = (headers: Record<string, string>, query = "") => post(`/api/v1/datasets/${made.id}/content${query}`, "a\n2\n", headers);
    expect((await errorOf(content({}))).code).toBe("revision_required");
    expect((await errorOf(content({ "if-match": '"77"' }))).code).toBe("revision_conflict");
    expect((await errorOf(content({ "if-match": "*" }, "?version=0.1.0"))).code).toBe("version_taken");
    expect((await errorOf(post(`/api/v1/datasets/${made.id}/content`, "a,b\n2\n", { "if-match": "*" }))).code).toBe("dataset_malformed");
    expect(await values(made.id)).toEqual([{ a: 1 }]);
    const program = await createProgram(server, ann, `Program ${(count += 1)}`);
    expect((await send(ann, "GET", `/api/v1/datasets/${program.id}/rows`)).status).toBe(404);
  });
});

describe("a run", () => {
  const code = [
    "import csv, json, os",
    "sets = json.loads(os.environ['SYLA_DATASETS'])",
    "for name, one in sets.items():",
    "    lines = open(one['path']).read().splitlines()",
    "    print(name, one['path'], one['rows'], one['columns'], len(lines), lines[0], lines[-1])",
    "    print(os.stat(one['path']).st_mode & 0o777 == 0o444)",
  ].join("\n");
  const run = async (programId: string, datasets: object[], person = ann, more: object = {}) =>
    await send(person, "POST", "/api/v1/runs?wait=true", { programId, datasets, ...more });

  it("reads datasets of the catalog, whole or a split of them, and says which", async () => {
    const program = await createProgram(server, ann, `Reader ${(count += 1)}`, { "main.py": code });
    const table = await create(numbers(1000));
    await split(table.id, thirds);
    const lines = await create('{"q":"why"}\n{"q":"how"}\n', { name: "Questions, Ünique!" });
    const test = await allRows(table.id, { split: "test" });
    const done = await json<Run>(run(program.id, [{ id: table.id, split: "test", version: "0.1.1", name: "t" }, { id: lines.id }]));
    expect(done.stderr).toBe("");
    expect(done.stdout.trimEnd().split("\n")).toEqual([
      `t datasets/t.csv ${test.length} ['id', 'word'] ${test.length + 1} id,word ${Object.values(test.at(-1)?.values ?? {}).join(",")}`,
      "True",
      `questions-unique datasets/questions-unique.jsonl 2 ['q'] 2 {"q":"why"} {"q":"how"}`,
      "True",
    ]);
    expect(done.datasets).toMatchObject([
      {
        id: table.id,
        name: "t",
        version: "0.1.1",
        split: "test",
        path: "datasets/t.csv",
        rows: test.length,
        sha256: configOf(table).contentSha256,
      },
      { id: lines.id, assetName: "Questions, Ünique!", version: null, split: null, rows: 2 },
    ]);
    await send(ann, "GET", `/api/v1/runs/${done.id}`);
    const found = await json<{ items: RunSummary[] }>(send(ann, "GET", `/api/v1/runs?dataset=${lines.id}`));
    expect(found.items.map((one) => one.id)).toEqual([done.id]);
    expect((await json<{ items: RunSummary[] }>(send(ann, "GET", "/api/v1/runs?dataset=data_none"))).items).toEqual([]);
    const again = await json<Run>(send(ann, "POST", `/api/v1/runs/${done.id}/rerun`));
    expect(again.datasets).toEqual(done.datasets);
    for (const path of ["datasets/t.csv", "node_modules/x.js"]) {
      const changes = { files: [{ path, content: "mine" }] };
      expect((await errorOf(send(ann, "POST", `/api/v1/runs/${done.id}/rerun`, changes))).code).toBe("invalid_path");
    }
    await send(ann, "DELETE", `/api/v1/assets/${lines.id}`);
    expect((await errorOf(send(ann, "POST", `/api/v1/runs/${done.id}/rerun`))).code).toBe("asset_deleted");
  });

  it("of the template works through the rows of whatever it has", async () => {
    const main = await readFile(join(import.meta.dirname, "../../../../examples/templates/batch/main.py"), "utf8");
    const program = await createProgram(server, ann, `Batch ${(count += 1)}`, { "main.py": main, "rows.jsonl": '{"id":1}\n' });
    const table = await create("id,text\n1,one two\n2,three\n");
    const lines = await create('{"id":3,"text":"x"}\n{"id":4}\n');
    expect((await json<Run>(run(program.id, [{ id: table.id }, { id: lines.id }]))).stdout).toBe("3 rows done, 1 failed\n");
    await split(table.id, { shares: [{ name: "all", percent: 100 }] });
    expect((await json<Run>(run(program.id, [{ id: table.id, split: "all" }]))).stdout).toBe("2 rows done, 0 failed\n");
    expect((await json<Run>(run(program.id, []))).stdout).toBe("0 rows done, 1 failed\n");
  });

  it("is refused datasets that its person may not use, and such as would hide a file", async () => {
    const program = await createProgram(server, ann, `Reader ${(count += 1)}`, { "main.py": "print(1)", "datasets/t.csv": "x" });
    const table = await create(numbers(10));
    const refusal = async (datasets: object[], person = ann, more: object = {}) => await errorOf(run(program.id, datasets, person, more));
    expect(await refusal([{ id: "data_none" }])).toMatchObject({ code: "not_found", fields: [{ path: "datasets.0.id" }] });
    expect(await refusal([{ id: program.id }])).toMatchObject({ code: "not_found" });
    expect(await refusal([{ id: table.id, split: "test" }])).toMatchObject({
      code: "split_unknown",
      fields: [{ path: "datasets.0.split" }],
    });
    expect(await refusal([{ id: table.id, name: "t" }])).toMatchObject({ code: "invalid_path" });
    expect(await refusal([{ id: table.id }, { id: table.id }])).toMatchObject({
      code: "invalid_request",
      fields: [{ path: "datasets.1.name" }],
    });
    expect((await refusal([{ id: table.id, name: "../x" }])).code).toBe("invalid_request");
    expect((await refusal([{ id: table.id }], ann, { files: [{ path: "datasets", content: "" }] })).code).toBe("invalid_path");
    for (const id of [program.id, table.id])
      await share(server, ann, { resourceType: "asset", resourceId: id, email: bob.email, level: "view" });
    await share(server, ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "run" });
    expect(await refusal([{ id: table.id }], bob)).toMatchObject({ code: "forbidden" });
  });
});

/** Those of 4,000 rows that seed 7 puts into the last tenth. */
const firstOfSeed7: readonly number[] = [3, 6, 7, 16, 20];

describe("an upload with an idempotency key", () => {
  const sendKeyed = async (key: string, name: string, content: string) =>
    await post(`/api/v1/datasets?name=${name}`, content, { "idempotency-key": key });

  it("makes one dataset, however often and fast it is sent; other rows are another request", async () => {
    const rows = `a,b\n${"1,2\n".repeat(50_000)}`;
    const answers = await Promise.all(Array.from({ length: 4 }, () => sendKeyed("rows", "Sent+four+times", rows)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const ids = await Promise.all(answers.map(async (answer) => (await json<Asset>(answer)).id));
    expect(new Set(ids).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true")).toHaveLength(3);
    expect(await errorOf(sendKeyed("rows", "Sent+four+times", rows.replace("1", "3")))).toMatchObject({ code: "idempotency_conflict" });
    expect(await errorOf(sendKeyed("bad", "Broken", 'a,b\n"1'))).toMatchObject({ code: "dataset_malformed" });
    expect((await sendKeyed("bad", "Broken", "a,b\n1,2\n")).status).toBe(201);
  }, 60_000);
});

it("a large file is read beside everything else: others are answered while it is", { timeout: 180_000 }, async () => {
  const text = "some text, quoted; ".repeat(25);
  const part = Buffer.from(Array.from({ length: 2000 }, (_, row) => `${row},"${text}",${row / 7},2026-01-01\n`).join(""));
  const parts = Math.floor(99_900_000 / part.length); // the largest that is taken
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (sent === 0) controller.enqueue(Buffer.from("id,text,number,day\n"));
      if (sent === parts) return controller.close();
      sent += 1;
      controller.enqueue(part);
    },
  });
  const answered: string[] = [];
  const uploaded = fetch(`${server.url}/api/v1/datasets?name=Large`, {
    method: "POST",
    body,
    duplex: "half",
    headers: { ...ann.headers, "content-type": "application/octet-stream" },
  }).then(async (answer) => {
    answered.push("upload");
    return await json<Asset>(answer);
  });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  await expect.poll(() => sent).toBeGreaterThan(1);
  delay.enable();
  const others = async () => {
    for (let asked = 0; !answered.includes("upload"); asked += 1) {
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      answered.push("health");
      await sleep(10); // they are to share the processor, not to take it
    }
  };
  await Promise.all([uploaded, others()]);
  delay.disable();
  const made = await uploaded;
  expect(made.config).toMatchObject({ rowCount: parts * 2000 });
  expect(answered.indexOf("upload")).toBeGreaterThan(20);
  const ms = (nanoseconds: number) => `${(nanoseconds / 1e6).toFixed(1)} ms`;
  const [half, most, longest] = [delay.percentile(50), delay.percentile(99), delay.max].map(ms);
  process.stdout.write(
    `100 MB of CSV: ${answered.length - 1} others answered meanwhile; event loop held for ${half} (p50), ${most} (p99), ${longest} (most)\n`,
  );
});
