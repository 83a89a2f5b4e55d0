import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statfsSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import type { EnvironmentEvent, ProgramEnvironment } from "@syla/contracts/environments";
import type { Run } from "@syla/contracts/runs";
import { startTestPackageIndex, type IndexBehaviour, type TestPackageIndex } from "@syla/testkit/package-index";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProgram, json } from "../catalog/programs.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
const mebibyte = 1024 ** 2;
const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "requirements", file: "requirements.txt" } };

const program = (server: TestServer, name: string) =>
  createProgram(
    server,
    { headers: { authorization: `Bearer ${server.localKey}` } },
    `With ${name}`,
    { "main.py": `import ${name}; print(${name}.TEXT)`, "requirements.txt": `${name}\n` },
    { config },
  );

/** Builds what a program needs, to the end. */
async function build(server: TestServer, { id }: Asset) {
  const begun = await json<ProgramEnvironment>(server.send("POST", `/api/v1/programs/${id}/environment/build`, {}));
  const text = await (await server.fetch(`/api/v1/environments/${begun.environment?.id}/events`)).text();
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? "") as EnvironmentEvent);
  const end = events.at(-1);
  if (end?.type !== "end") throw new Error(`no end: ${text}`);
  return end.environment;
}

const run = async (server: TestServer, { id }: Asset) => await json<Run>(server.send("POST", "/api/v1/runs?wait=true", { programId: id }));
const left = (server: TestServer) =>
  ["layers", "unfinished", "spool"].map((folder) => readdirSync(join(server.dataDir, "environments", folder)));

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("an index that does not answer as it should", () => {
  let server: TestServer;
  let index: TestPackageIndex;

  beforeAll(async () => {
    index = await startTestPackageIndex();
    server = await startTestServer({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url, SYLA_ENVIRONMENT_SECONDS: "15" });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
  });

  const unreachable = { class: "infrastructure", code: "index_unreachable" };
  const tooLong = {
    class: "limit",
    code: "environment_limit",
    message: expect.stringMatching(/15 s, and still waited for the package index/),
  };
  const faults: readonly (readonly [what: string, part: "page" | "file", behaviour: IndexBehaviour, error: object])[] = [
    ["takes the request for a page and says nothing", "page", "silent", { ...unreachable, phase: "resolve" }],
    ["takes the request for a file and says nothing", "file", "silent", { ...unreachable, phase: "download" }],
    ["stops after half a file", "file", "stall", { ...unreachable, phase: "download" }],
    ["sends a file byte by byte", "file", "drip", { ...tooLong, phase: "download" }],
  ];

  test.each(faults)(
    "one that %s is given up in time, said where it was; when it is back all is well",
    async (what, part, behaviour, error) => {
      const name = `held${faults.findIndex((fault) => fault[0] === what)}`;
      index.publish({ name, version: "1.0", files: { [`${name}.py`]: "TEXT = 'whole'\n" } });
      const place = part === "page" ? `/simple/${name}/` : `/files/${name}-1.0-py3-none-any.whl`;
      index.behave(place, behaviour);
      const before = left(server);
      const asset = await program(server, name);
      const failed = await build(server, asset);
      expect(failed).toMatchObject({ state: "failed", isHere: false, error });
      expect(failed.error?.hint).not.toBe("");
      expect(left(server)).toEqual(before);
      index.behave(place, "serve");
      expect(await run(server, asset)).toMatchObject({ status: "succeeded", stdout: "whole\n" });
    },
    120_000,
  );
});

/** A small disk; unmounted at the end. */
function mountSmallDisk(path: string): Disposable & { path: string } {
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=96m,mode=0755", "tmpfs", path]);
  return { path, [Symbol.dispose]: () => execFileSync("umount", ["-l", path]) };
}

function leave(folder: string, bytes: number): () => void {
  const filler = join(folder, "filler");
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(filler, Buffer.alloc(bavail * bsize - bytes));
  return () => rmSync(filler);
}

// Mounting a small disk needs root.
describe.skipIf(!existsSync(uv) || process.getuid?.() !== 0)("a disk that fills up", () => {
  test("while packages are fetched, or while a layer is written, ends the build there, and leaves nothing", async () => {
    using directory = createTemporaryDirectory();
    using disk = mountSmallDisk(join(directory.path, "data"));
    await using index = await startTestPackageIndex();
    await using server = await startTestServer({ SYLA_DATA_DIR: disk.path, SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    const size = 12 * mebibyte;
    index.publish({ name: "large", version: "1.0", files: { "large.py": "TEXT = 'whole'\n", "large.bin": randomBytes(size) } });
    const asset = await program(server, "large");
    for (const [room, phase] of [
      [size / 2, "download"],
      [2.5 * size, "verify"],
    ] as const) {
      const makeRoom = leave(disk.path, room);
      const failed = await build(server, asset);
      expect([phase, failed]).toMatchObject([
        phase,
        { state: "failed", isHere: false, error: { class: "infrastructure", code: "storage_full", phase } },
      ]);
      expect(left(server)).toEqual([[], [], []]);
      expect(await run(server, asset)).toMatchObject({ status: "failed", error: { class: "infrastructure", code: "storage_full" } });
      makeRoom();
    }
    expect(await run(server, asset)).toMatchObject({ status: "succeeded", stdout: "whole\n" });
    expect(left(server)).toMatchObject([[expect.any(String)], [], []]);
  }, 120_000);
});
