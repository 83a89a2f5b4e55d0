import { setTimeout as sleep } from "node:timers/promises";
import type { TreeChange } from "@syla/contracts/programs";
import type { Run } from "@syla/contracts/runs";
import type { Workspace, WorkspaceVersion } from "@syla/contracts/workspaces";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createAccount, share, type Person } from "../../access/people.ts";
import { json } from "../../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "../workspaces.ts";
import { join, type Connection, type Replica } from "./replica.ts";

let server: TestServer;
let ann: Person;
let ben: Person;
const connections: Connection[] = [];

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  [ann, ben] = [await createAccount(server), await createAccount(server)];
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => connections.splice(0).forEach((connection) => connection.close()));

/** A workspace with two people in one of its files. */
async function opened(name: string, files: Readonly<Record<string, string>>): Promise<{ id: string; replicas: Replica[] }> {
  const { id } = await createWorkspace(server, ann, name, files, { kind: "collaborative" });
  await share(server, ann, { resourceType: "workspace", resourceId: id, email: ben.email, level: "edit" });
  const replicas: Replica[] = [];
  for (const person of [ann, ben]) {
    const connection = await join(server, person, id);
    connections.push(connection);
    replicas.push(await connection.open("a.txt"));
  }
  return { id, replicas };
}

let written = 0;

/** Both write without a pause until it is over. @returns what each of them wrote, each once */
async function whileTyping(replicas: readonly Replica[], work: () => Promise<void>): Promise<string[]> {
  const tokens: string[] = [];
  const over = new AbortController();
  const typing = replicas.map(async ({ text }, who) => {
    while (!over.signal.aborted) {
      const token = `<${(written += 1)}>`;
      text.insert(who === 0 ? 0 : text.length, token);
      tokens.push(token);
      await sleep(5);
    }
  });
  try {
    await work();
  } finally {
    over.abort();
    await Promise.all(typing);
  }
  await Promise.all(replicas.map((replica) => replica.saved()));
  await expect.poll(() => new Set(replicas.map(({ text }) => text.toJSON())).size).toBe(1);
  return tokens;
}

function expectEachOnce(text: string, tokens: readonly string[]): void {
  expect(tokens.length).toBeGreaterThan(10);
  expect(tokens.filter((token) => text.split(token).length !== 2)).toEqual([]);
}

const revisionOf = async (id: string) =>
  (await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }))).revision;
const post = async (id: string, what: string, body: object): Promise<unknown> => {
  const headers = { ...ann.headers, "if-match": `"${await revisionOf(id)}"` };
  const answer = await server.send("POST", `/api/v1/workspaces/${id}/${what}`, body, headers);
  if (answer.status >= 300) throw new Error(`${answer.status}: ${await answer.text()}`);
  return await answer.json();
};
const change = async (id: string, changes: readonly TreeChange[], onConflict: "mine" | "theirs" = "theirs") =>
  void (await post(id, "files", { changes, onConflict }));
/** Whatever is in it by then, as the page does. */
const remove = async (id: string, path: string) => await change(id, [{ op: "delete", path }], "mine");
const settle = (id: string) => server.context.liveWorkspaces.settleAll(id);

it("goes on while the file is moved, and its folder", async () => {
  const { id, replicas } = await opened("Moved", { "a.txt": "text\n", "b.txt": "other\n" });
  const places = ["one.txt", "dir/two.txt", "dir/deep/three.txt"];
  const tokens = await whileTyping(replicas, async () => {
    let from = "a.txt";
    for (const to of places) {
      await change(id, [{ op: "move", from, to, overwrite: false }]);
      for (const replica of replicas) await expect.poll(() => replica.notices).toContainEqual({ type: "moved", path: to });
      from = to;
    }
    await change(id, [{ op: "move", from: "dir", to: "folder", overwrite: false }]);
    const moved = { type: "moved", path: "folder/deep/three.txt" };
    for (const replica of replicas) await expect.poll(() => replica.notices).toContainEqual(moved);
  });
  await settle(id);
  const { "folder/deep/three.txt": text = "", ...others } = await readFiles(server, ann, id);
  expect(others).toEqual({ "b.txt": "other\n" });
  expect(text).toBe(replicas[0]?.text.toJSON());
  expectEachOnce(text, tokens);
});

const rowOf = async (id: string) =>
  await server.context.database.queries
    .selectFrom("live_documents")
    .select(["detached_at", "base_sha256"])
    .where("workspace_id", "=", id)
    .executeTakeFirstOrThrow();

it.each<[how: string, putBack: (id: string, replica: Replica) => Promise<void>]>([
  [
    "as it was",
    async (id) => {
      const bytes = await server.context.blobs.get((await rowOf(id)).base_sha256);
      await change(id, [write("a.txt", bytes.toString())]);
    },
  ],
  ["with what is in its document", async (_, replica) => replica.putBack()],
])("keeps what is written while the file is deleted, and goes on when it is put back %s", async (how, putBack) => {
  const { id, replicas } = await opened(`Deleted, put back ${how}`, { "a.txt": "text\n", "b.txt": "other\n" });
  const tokens = await whileTyping(replicas, async () => {
    await remove(id, "a.txt");
    for (const replica of replicas) await replica.told("detached");
    await sleep(100);
    await settle(id);
    expect(Object.keys(await readFiles(server, ann, id))).toEqual(["b.txt"]);
    await putBack(id, replicas[1] as Replica);
    await expect
      .poll(async () => {
        await settle(id);
        return await rowOf(id);
      })
      .toMatchObject({ detached_at: null });
  });
  await settle(id);
  const { "a.txt": text = "" } = await readFiles(server, ann, id);
  expect(text).toBe(replicas[0]?.text.toJSON());
  expectEachOnce(text, tokens);
});

it("keeps what is written while the file is deleted when somebody makes another one in its place", async () => {
  const { id, replicas } = await opened("Another", { "a.txt": "text\n" });
  const [a, b] = replicas as [Replica, Replica];
  await remove(id, "a.txt");
  for (const replica of replicas) await replica.told("detached");
  a.text.insert(0, "mine ");
  await a.saved();
  await expect.poll(() => b.text.toJSON()).toBe("mine text\n");
  await change(id, [write("a.txt", "another\n")]);
  await expect.poll(() => b.text.toJSON()).toMatch(/^(mine another|another\nmine |mine ?another)\n?$/u);
});

it("tells those who have it open that a file is there again, also where nobody writes", async () => {
  const { id, replicas } = await opened("There again", { "a.txt": "text\n", "b.txt": "other\n" });
  for (const content of ["text\n", "another text\n"]) {
    for (const { notices } of replicas) notices.length = 0;
    await remove(id, "a.txt");
    for (const replica of replicas) await replica.told("detached");
    await change(id, [write("a.txt", content)]);
    for (const replica of replicas) expect(await replica.told("settled")).toEqual({ type: "settled", problem: null });
    for (const { text } of replicas) await expect.poll(() => text.toJSON()).toBe(content);
  }
});

it("goes on while a run writes the file, the API does, and a version is restored", async () => {
  const lines = Array.from({ length: 9 }, (_, index) => `line ${index}\n`).join("");
  const { id, replicas } = await opened("Written", { "a.txt": lines, "go.sh": "sed -i 's/line 4/four/' a.txt\n" });
  const tokens = await whileTyping(replicas, async () => {
    const run: Run = await execute(server, { entrypoint: "go.sh", workspaceId: id }, ann.headers);
    expect(run.workspace).toMatchObject({ outcome: "merged" });
    for (const { text } of replicas) await expect.poll(() => text.toJSON()).toContain("four\n");
    const now = (await readFiles(server, ann, id))["a.txt"] ?? "";
    await change(id, [write("a.txt", now.replace("line 6", "six"))]);
    for (const { text } of replicas) await expect.poll(() => text.toJSON()).toContain("six\n");
  });
  await settle(id);
  const { "a.txt": text = "" } = await readFiles(server, ann, id);
  expect(text).toBe(replicas[0]?.text.toJSON());
  expectEachOnce(text, tokens);
  // Whoever restores wants what was there: what was written since is a version.
  const { number } = (await post(id, "versions", { message: "before" })) as WorkspaceVersion;
  const later = await whileTyping(replicas, async () => {
    await post(id, `versions/${number}/restore`, {});
  });
  const whole = async () => {
    await settle(id);
    return (await readFiles(server, ann, id))["a.txt"];
  };
  await expect.poll(async () => (await whole()) === replicas[0]?.text.toJSON()).toBe(true);
  const after = (await whole()) ?? "";
  expectEachOnce(after, tokens);
  expect(later.filter((token) => after.split(token).length > 2)).toEqual([]);
});

it("says so when what is written does not fit any more, and takes up where it was when it does", async () => {
  const { id, replicas } = await opened("Full", { "a.txt": "text\n" });
  const limit = async (storageMb: number) => {
    expect((await server.send("PATCH", `/api/v1/quotas/${ann.id}`, { storageMb })).status).toBe(200);
    expect((await server.send("PATCH", `/api/v1/quotas/${ben.id}`, { storageMb })).status).toBe(200);
  };
  const [a] = replicas as [Replica, Replica];
  const tokens = await whileTyping(replicas, async () => {
    await limit(1);
    for (let count = 0; count < 3; count += 1) {
      a.text.insert(a.text.length, `${"y".repeat(99)}\n`.repeat(4000));
      await sleep(20);
    }
    await expect
      .poll(async () => {
        await settle(id);
        return a.notices;
      })
      .toContainEqual({ type: "settled", problem: expect.objectContaining({ code: "quota_exceeded" }) as unknown });
    await limit(100);
    await expect
      .poll(async () => {
        await settle(id);
        return a.notices.findLast(({ type }) => type === "settled");
      })
      .toEqual({ type: "settled", problem: null });
  });
  await settle(id);
  const { "a.txt": text = "" } = await readFiles(server, ann, id);
  expect(text).toBe(a.text.toJSON());
  expectEachOnce(text, tokens);
});
