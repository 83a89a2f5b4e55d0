import type { FoundFiles } from "@syla/contracts/file-search";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { createWorkspace } from "./workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const send = (id: string, query: Readonly<Record<string, string>>, { headers } = ann) =>
  server.fetch(`/api/v1/workspaces/${id}/search?${new URLSearchParams(query).toString()}`, { headers });

/** All pages together: a page ends early where the machine is slow. */
async function search(id: string, query: Readonly<Record<string, string>>): Promise<FoundFiles> {
  let all = await json<FoundFiles>(send(id, query));
  while (all.nextAfter !== null) {
    const next = await json<FoundFiles>(send(id, { ...query, after: all.nextAfter }));
    all = { ...next, items: [...all.items, ...next.items], files: all.files + next.files, skipped: all.skipped + next.skipped };
  }
  return all;
}
const places = ({ items }: FoundFiles) => items.flatMap(({ path, lines }) => lines.map(({ line, column }) => `${path}:${line}:${column}`));

const files = {
  "README.md": "Cats and dogs.\r\nconcatenate\r\n",
  "src/cat.py": "def cat():\n    return 'Cat'\n",
  "src/deep/a.js": "let cat = 1;\n",
  "data.bin": "\0cat",
};

it("finds text and patterns with their places, by case, word and file", async () => {
  const { id, revision } = await createWorkspace(server, ann, "Zoo", files);
  const all = await search(id, { q: "cat" });
  expect(places(all)).toEqual(["README.md:1:1", "README.md:2:4", "src/cat.py:1:5", "src/cat.py:2:13", "src/deep/a.js:1:5"]);
  expect(all).toMatchObject({ revision, files: 4, skipped: 1, nextAfter: null });
  expect(all.items[0]?.lines[0]).toEqual({ line: 1, column: 1, text: "Cats and dogs.", matches: [[0, 3]] });
  expect(places(await search(id, { q: "cat", wholeWord: "true" }))).toEqual(["src/cat.py:1:5", "src/cat.py:2:13", "src/deep/a.js:1:5"]);
  expect(places(await search(id, { q: "Cat", matchCase: "true" }))).toEqual(["README.md:1:1", "src/cat.py:2:13"]);
  expect(places(await search(id, { q: "^(let|def) \\w+", regex: "true" }))).toEqual(["src/cat.py:1:1", "src/deep/a.js:1:1"]);
  expect(places(await search(id, { q: "(", matchCase: "true" }))).toEqual(["src/cat.py:1:8"]);
  expect(places(await search(id, { q: "cat", include: "*.{js,md}", exclude: "README*" }))).toEqual(["src/deep/a.js:1:5"]);
  expect(places(await search(id, { q: "cat", include: "src/*" }))).toHaveLength(3);
  expect(places(await search(id, { q: "cat", exclude: "src" }))).toHaveLength(2);
});

it("goes on where a page ended, and tells the first lines of a file with very many", async () => {
  const many = Object.fromEntries(["a", "b", "c"].map((name) => [`${name}.txt`, "hit\n".repeat(300)]));
  const { id } = await createWorkspace(server, ann, "Many", many);
  const paths: string[] = [];
  let after: string | null = "";
  while (after !== null) {
    const page: FoundFiles = await json<FoundFiles>(send(id, { q: "hit", limit: "100", ...(after === "" ? {} : { after }) }));
    expect(page.items.length).toBeLessThan(2);
    paths.push(...page.items.map(({ path }) => path));
    for (const { lines, count } of page.items) expect([lines.length, count]).toEqual([200, 300]);
    after = page.nextAfter;
  }
  expect(paths).toEqual(["a.txt", "b.txt", "c.txt"]);
});

it("takes no longer for a hostile pattern, and says what is wrong with one that cannot be used", async () => {
  const { id } = await createWorkspace(server, ann, "Hostile", { "a.txt": `${"a".repeat(30_000)}!\n`, "b.txt": `x${"y".repeat(900)}hit` });
  expect((await search(id, { q: "^(a+)+$", regex: "true" })).items).toEqual([]);
  expect((await search(id, { q: "hit", include: `${"*a".repeat(200)}b` })).items).toEqual([]);
  const [match] = (await search(id, { q: "hit" })).items[0]?.lines ?? [];
  expect(match?.column).toBe(902);
  expect(match?.text.slice(...(match.matches[0] ?? []))).toBe("hit");
  expect(match?.text.length).toBeLessThan(401);
  expect((await errorOf(send(id, { q: "(?=a)", regex: "true" }))).code).toBe("invalid_pattern");
  expect((await errorOf(send(id, { q: "a", include: "{a" }))).code).toBe("invalid_request");
  expect((await errorOf(send(id, { q: "" }))).code).toBe("invalid_request");
});

it("is for those who may read the workspace", async () => {
  const { id } = await createWorkspace(server, ann, "Private", { "a.txt": "secret\n" });
  const ben = await createAccount(server);
  expect((await errorOf(send(id, { q: "secret" }, ben))).code).toBe("not_found");
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: ben.email, level: "view" });
  expect((await send(id, { q: "secret" }, ben)).status).toBe(200);
});
