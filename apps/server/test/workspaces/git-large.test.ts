import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { GitClient, refusalOf } from "./git-client.ts";
import { createWorkspace, readFiles } from "./workspaces.ts";

let server: TestServer;
let ann: Person;
let client: GitClient;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
  client = new GitClient(server.url, ann);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  client[Symbol.dispose]();
});

it("10,000 files are pushed, cloned and changed; one more is too many", async () => {
  const { id } = await createWorkspace(server, ann, "Many files", {});
  const folder = await client.clone(id);
  await client.run(folder, "checkout", "--quiet", "-B", "main");
  for (let index = 0; index < 10_000; index += 1) {
    const place = join(folder, `folder-${index % 100}`);
    if (index < 100) mkdirSync(place);
    writeFileSync(join(place, `file-${index}.txt`), `${index}\n`.repeat(20));
  }
  const first = await client.commit(folder, {}, "Many");
  expect(await client.run(folder, "push", "origin", "main")).toContain("Made version 1.");
  const again = await client.clone(id);
  expect((await client.run(again, "rev-parse", "HEAD")).trim()).toBe(first);
  expect((await client.run(again, "ls-files")).trim().split("\n")).toHaveLength(10_000);
  expect(readFileSync(join(again, "folder-99/file-9999.txt"), "utf8")).toBe("9999\n".repeat(20));
  await client.commit(again, { "folder-0/file-0.txt": "changed\n" }, "One");
  expect(await client.run(again, "push", "origin", "main")).toContain("Made version 2.");
  await client.commit(again, { "one-more.txt": "1\n" }, "Too many");
  expect(await refusalOf(client.run(again, "push", "origin", "main"))).toMatch(/too many files: a workspace holds at most 10000/);
}, 240_000);

it("after forty pushes its commits are one pack, and all of them are still there", async () => {
  const { id } = await createWorkspace(server, ann, "Many pushes", { "a.txt": "0\n" });
  const folder = await client.clone(id);
  const packs = async () =>
    (await server.context.database.queries.selectFrom("workspace_packs").select("sha256").where("workspace_id", "=", id).execute()).length;
  for (let round = 1; (await packs()) < 40; round += 1) {
    await client.commit(folder, { "a.txt": `${round}\n`, [`b-${round}.txt`]: "b\n" }, `Round ${round}`);
    await client.run(folder, "push", "--quiet", "origin", "main");
  }
  const last = await client.commit(folder, { "a.txt": "last\n" }, "Last");
  await client.run(folder, "push", "--quiet", "origin", "main");
  expect(await packs()).toBe(1);
  const again = await client.clone(id);
  expect((await client.run(again, "rev-parse", "HEAD")).trim()).toBe(last);
  expect(await client.run(again, "log", "--format=%H")).toBe(await client.run(folder, "log", "--format=%H"));
  await client.run(again, "fsck", "--strict");
  expect(await readFiles(server, ann, id)).toMatchObject({ "a.txt": "last\n" });
}, 240_000);
