import { hash, randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import type { Run } from "@syla/contracts/runs";
import type { Workspace, WorkspaceVersion } from "@syla/contracts/workspaces";
import { execute, submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { extract, pack, type Header } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sweepWorkspaces } from "../../src/workspaces/lifecycle.ts";
import { createAccount, share, type Person } from "../access/people.ts";
import { errorOf, json } from "../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "./workspaces.ts";

let server: TestServer;
let ann: Person;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const get = async (id: string) => await json<Workspace>(server.fetch(`/api/v1/workspaces/${id}`, { headers: ann.headers }));
const change = (id: string, changes: readonly object[], revision: number | "*" = "*", more: object = {}) =>
  server.send(
    "POST",
    `/api/v1/workspaces/${id}/files`,
    { changes, ...more },
    { ...ann.headers, "if-match": revision === "*" ? "*" : `"${revision}"` },
  );
const upload = async (bytes: Uint8Array) => {
  const headers = { ...ann.headers, "content-type": "application/octet-stream" };
  return (await json<{ sha256: string }>(server.fetch("/api/v1/blobs", { method: "POST", headers, body: Buffer.from(bytes) }))).sha256;
};
const bringIn = async (id: string, archive: Uint8Array) =>
  await server.send(
    "POST",
    `/api/v1/workspaces/${id}/import`,
    { source: { kind: "archive", blob: await upload(archive) }, replace: false },
    ann.headers,
  );

type TarFile = Partial<Omit<Header, "name">> & { readonly name: string; readonly content?: string };
async function tar(files: Iterable<TarFile>): Promise<Buffer> {
  const stream = pack();
  const whole = buffer(stream.pipe(new PassThrough()));
  for (const { content = "", ...header } of files) stream.entry(header, content);
  stream.finalize();
  return await whole;
}

/** The header of an empty file in a tar archive, which is all of it. Source: POSIX.1-2017, pax, "ustar Interchange Format". */
function emptyFile(name: string): Buffer {
  const header = Buffer.alloc(512);
  for (const [text, at] of [
    [name, 0],
    ["0000644", 100],
    ["0000000", 108],
    ["0000000", 116],
    ["00000000000", 124],
    ["00000000000", 136],
    ["        ", 148],
    ["0", 156],
    ["ustar\u000000", 257],
  ] as const)
    header.write(text, at);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

describe("100,000 files", () => {
  it("are refused in one change and in an archive, and change nothing", async () => {
    const { id, revision, tree } = await createWorkspace(server, ann, "Very many", { "a.txt": "a\n" });
    const paths = Array.from({ length: 100_000 }, (_, index) => `d${index % 1000}/f${index}`);
    const inOne = await change(
      id,
      paths.map((path) => write(path, "")),
    );
    expect((await errorOf(inOne)).code).toMatch(/^(invalid_request|payload_too_large)$/);
    const archive = gzipSync(Buffer.concat([...paths.map(emptyFile), Buffer.alloc(1024)]));
    expect((await errorOf(bringIn(id, archive))).code).toBe("import_too_large");
    const few = Buffer.concat([...paths.slice(0, 100).map(emptyFile), Buffer.alloc(1024)]);
    expect((await bringIn((await createWorkspace(server, ann, "Few", {})).id, few)).status).toBe(200);
    expect(await get(id)).toMatchObject({ revision, tree });
    const files = paths.map((path) => ({ path, content: "" }));
    const made = await server.send("POST", "/api/v1/workspaces", { name: "Too many", files }, ann.headers);
    expect((await errorOf(made)).code).toMatch(/^(invalid_request|payload_too_large)$/);
    const listed = await json<{ items: object[] }>(server.fetch("/api/v1/workspaces?q=Too%20many", { headers: ann.headers }));
    expect(listed.items).toEqual([]);
  }, 120_000);

  it("of ten changes after each other are refused where they are too many, and what came before stays", async () => {
    const { id } = await createWorkspace(server, ann, "More and more", {});
    const put = async (from: number) =>
      await change(
        id,
        Array.from({ length: 6000 }, (_, index) => write(`f${from + index}`, "")),
      );
    expect((await put(0)).status).toBe(200);
    expect((await errorOf(put(6000))).code).toBe("payload_too_large");
    expect((await get(id)).tree.files).toBe(6000);
  }, 120_000);
});

describe("names that are one in some file systems", () => {
  it.each([
    ["Readme.md", "README.md"],
    ["src/a.txt", "SRC/b.txt"],
    ["caf\u00e9.txt", "cafe\u0301.txt"],
  ])("%s and %s are refused from one writer, from two, by a move and in an archive", async (one, other) => {
    const { id, revision } = await createWorkspace(server, ann, `Names ${one}`, { "x.txt": "x\n" });
    expect((await errorOf(change(id, [write(one, "1"), write(other, "2")]))).code).toBe("invalid_path");
    expect((await get(id)).revision).toBe(revision);
    expect((await change(id, [write(one, "1")], revision)).status).toBe(200);
    // The second writer has not seen the first one's.
    expect((await errorOf(change(id, [write(other, "2")], revision))).code).toBe("invalid_path");
    expect((await errorOf(change(id, [{ op: "move", from: "x.txt", to: other }]))).code).toBe("invalid_path");
    await bringIn(id, await tar([{ name: "b.txt" }, { name: other, content: "3" }]));
    const names = Object.keys(await readFiles(server, ann, id)).map((name) => name.normalize("NFC").toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(await readFiles(server, ann, id)).toMatchObject({ [one]: "1", "x.txt": "x\n" });
    // Alone, it may have the other name.
    expect((await change(id, [{ op: "delete", path: one }, write(other, "4")])).status).toBe(200);
  });
});

describe("links", () => {
  it("out of the tree are in no workspace, whether an archive or a run makes them", async () => {
    const { id } = await createWorkspace(server, ann, "Links", { "sub/a.txt": "a\n", "b.txt": "b\n" });
    const link = (name: string, linkname: string, type: "symlink" | "link" = "symlink") => ({ name, linkname, type });
    const archive = await tar([
      link("out", "/etc/passwd"),
      link("above", "../../../../etc/passwd"),
      link("hard", "/etc/passwd", "link"),
      link("sub", "/etc"),
      { name: "sub/passwd", content: "mine\n" },
      { name: "real", content: "real\n" },
    ]);
    expect((await bringIn(id, archive)).status).toBe(200);
    const files = { "sub/a.txt": "a\n", "sub/passwd": "mine\n", "b.txt": "b\n", real: "real\n" };
    expect(await readFiles(server, ann, id)).toEqual(files);
    const code =
      "ln -sf /etc/passwd b.txt; rm -r sub; ln -s /etc sub; ln -s /proc/self/environ env; ln real hard; cat sub/hostname >/dev/null; true";
    const ended = await execute(server, { code, entrypoint: "s.sh", workspaceId: id }, ann.headers);
    expect(ended).toMatchObject({ status: "succeeded", workspace: { outcome: "merged" } });
    // A link is no file: the file in whose place one was put stays as it was.
    expect(await readFiles(server, ann, id)).toEqual({ "b.txt": "b\n", hard: "real\n", real: "real\n" });
    expect(await readFiles(server, ann, id, "?version=2")).toEqual(files);
  }, 60_000);
});

describe("a workspace whose time is over", () => {
  it("stays while something runs in it, takes back what that leaves, and goes afterwards", async () => {
    const { id } = await createWorkspace(server, ann, "Over", { "a.txt": "1" }, { kind: "session" });
    const { database } = server.context;
    const sweep = async (sessionMs = 60_000) => {
      const last = new Date(Date.now() - 3_600_000);
      await database.queries.updateTable("workspaces").set({ last_used_at: last }).where("id", "=", id).execute();
      await sweepWorkspaces(database, { ephemeralMs: 1e9, sessionMs, idleMs: sessionMs, collaborativeIdleMs: 1e9, archiveMs: 1e9 });
      return (await get(id)).state;
    };
    const code = "echo begun; sleep 5; printf 2 > a.txt";
    const going = await submit(server, { code, entrypoint: "s.sh", workspaceId: id }, ann.headers);
    await waitForRun(server, going.id, ({ stdout }) => stdout.includes("begun"));
    expect(await sweep()).toBe("active");
    const ended: Run = await waitForRun(server, going.id);
    expect(ended).toMatchObject({ status: "succeeded", workspace: { outcome: "merged" } });
    expect(await readFiles(server, ann, id)).toEqual({ "a.txt": "2" });
    // Its time counts from the end of the run.
    expect(await sweep()).toBe("active");
    expect(await sweep(1)).toBe("deleted");
  }, 60_000);
});

describe("a share that is taken back while its files are downloaded", () => {
  it("cuts the download off: nobody takes a part for all of it, and nobody else is cut off", async () => {
    const bytes = randomBytes(48 * 1024 * 1024);
    const bob = await createAccount(server);
    const { id } = await createWorkspace(server, ann, "Downloaded", {});
    const file = { path: "large.bin", blob: await upload(bytes), executable: false };
    expect((await change(id, [{ op: "write", file }])).status).toBe(200);
    for (const path of ["export?format=zip", "export?format=tar", "file?path=large.bin"]) {
      const grant = await share(server, ann, { resourceType: "workspace", resourceId: id, email: bob.email, level: "view" });
      const [his, hers] = await Promise.all(
        [bob, ann].map(async ({ headers }) => {
          const answer = await server.fetch(`/api/v1/workspaces/${id}/${path}`, { headers });
          expect([path, answer.status]).toEqual([path, 200]);
          const reader = answer.body?.getReader();
          if (reader === undefined) throw new Error("there is no body");
          return { reader, first: (await reader.read()).value?.length ?? 0 };
        }),
      );
      if (his === undefined || hers === undefined) throw new Error("nobody reads");
      await server.fetch(`/api/v1/grants/${grant}`, { method: "DELETE", headers: ann.headers });
      const readOn = async ({ reader, first }: typeof his) => {
        let size = first;
        for (;;) {
          const { value, done } = await reader.read();
          if (done) return size;
          size += value.length;
        }
      };
      // Until the change is told, and what lies in the buffers of the connection has gone.
      await expect.poll(async () => (await server.fetch(`/api/v1/workspaces/${id}`, { headers: bob.headers })).status).toBe(404);
      await expect(readOn(his)).rejects.toThrow("terminated");
      expect(await readOn(hers)).toBeGreaterThanOrEqual(bytes.length);
    }
    const whole = await server.fetch(`/api/v1/workspaces/${id}/export?format=tar`, { headers: ann.headers });
    const reader = extract();
    reader.end(Buffer.from(await whole.arrayBuffer()));
    for await (const entry of reader) expect(hash("sha256", await buffer(entry))).toBe(file.blob);
    expect((await server.fetch(`/api/v1/workspaces/${id}/export`, { headers: bob.headers })).status).toBe(404);
  }, 120_000);
});

describe("a version that is put back while somebody edits", () => {
  it("takes nothing away that was acknowledged: it is in the files, or in the version before", async () => {
    const { id } = await createWorkspace(server, ann, "Put back", { "base.txt": "base\n" });
    await server.send("POST", `/api/v1/workspaces/${id}/versions`, {}, ann.headers);
    const acknowledged: string[] = [];
    const edit = async () => {
      for (let count = 0; count < 12; count += 1) {
        const path = `edit-${count}.txt`;
        if ((await change(id, [write(path, path)])).status === 200) acknowledged.push(path);
      }
    };
    const restore = async () => {
      for (let count = 0; count < 6; count += 1)
        await server.send("POST", `/api/v1/workspaces/${id}/versions/1/restore`, undefined, { ...ann.headers, "if-match": "*" });
    };
    await Promise.all([edit(), restore()]);
    expect(acknowledged).toHaveLength(12);
    const found = new Set(Object.keys(await readFiles(server, ann, id)));
    const { items } = await json<{ items: WorkspaceVersion[] }>(
      server.fetch(`/api/v1/workspaces/${id}/versions`, { headers: ann.headers }),
    );
    for (const { number } of items) for (const path of Object.keys(await readFiles(server, ann, id, `?version=${number}`))) found.add(path);
    expect(acknowledged.filter((path) => !found.has(path))).toEqual([]);
    expect(found).toContain("base.txt");
  }, 60_000);
});
