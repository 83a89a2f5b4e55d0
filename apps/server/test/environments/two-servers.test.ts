import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import type { EnvironmentEvent, ProgramEnvironment } from "@syla/contracts/environments";
import type { Run } from "@syla/contracts/runs";
import { createTestDatabase } from "@syla/testkit/database";
import { startTestPackageIndex } from "@syla/testkit/package-index";
import { hasS3, startTestS3 } from "@syla/testkit/s3";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { expect, test } from "vitest";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
const wheel = "slow-1.0-py3-none-any.whl";

/** What a server says of a build, gathered while it goes on. */
function follow(url: string, authorization: string): { readonly events: EnvironmentEvent[]; readonly ended: Promise<void> } {
  const events: EnvironmentEvent[] = [];
  const read = async () => {
    const answer = await fetch(url, { headers: { authorization } });
    let text = "";
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) events.push(JSON.parse(data) as EnvironmentEvent);
      }
    }
  };
  return { events, ended: read() };
}

// uv and the S3 service are installed by tools/test.sh where that is possible; nothing here can be tried without them.
test.skipIf(!existsSync(uv) || !hasS3)(
  "two servers that are asked for the same environment build it once at a time, both show how it goes, and one goes on when the other is killed",
  async () => {
    using directory = createTemporaryDirectory();
    await using s3 = await startTestS3();
    await using index = await startTestPackageIndex();
    await using database = await createTestDatabase();
    index.publish({ name: "slow", version: "1.0", files: { "slow.py": "TEXT = 'there'\n" } });
    index.behave(wheel, "stall");
    const client = new pg.Client(database.url);
    await using connected = new AsyncDisposableStack();
    connected.defer(() => client.end());
    await client.connect();
    const start = async (name: string) => {
      const dataDir = join(directory.path, name);
      const variables = { ...s3.variables, SYLA_LOG_LEVEL: "warn", SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url, DATABASE_URL: database.url };
      const server = spawnServer(dataDir, variables);
      const url = await server.ready();
      const authorization = `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`;
      const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
        const headers = { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) };
        const answer = await fetch(`${url}/api/v1/${path}`, {
          method,
          headers,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return (await answer.json()) as T;
      };
      const there = (folder: string) => readdirSync(join(dataDir, "environments", folder));
      return {
        server,
        call,
        there,
        events: (id: string) => follow(`${url}/api/v1/environments/${id}/events`, authorization),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    };
    await using first = await start("first");
    await using second = await start("second");
    const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "requirements", file: "requirements.txt" } };
    const files = [
      { path: "main.py", content: "import slow; print(slow.TEXT)" },
      { path: "requirements.txt", content: "slow\n" },
    ];
    const { id: programId } = await first.call<Asset>("POST", "assets", { type: "program", name: "Slow", config, files });
    const ask = (server: typeof first) => server.call<ProgramEnvironment>("POST", `programs/${programId}/environment/build`, {});
    const [asked] = await Promise.all([ask(first), ask(second)]);
    const environmentId = asked.environment?.id ?? "";
    const read = (server: typeof first) => server.call<ProgramEnvironment>("GET", `programs/${programId}/environment`);
    const followed = [first, second].map((server) => server.events(environmentId));
    for (const { events } of followed) {
      await expect.poll(() => events.some((event) => event.type === "phase" && event.phase === "download"), { timeout: 30_000 }).toBe(true);
      await expect.poll(() => events.some((event) => event.type === "log"), { timeout: 30_000 }).toBe(true);
    }
    for (const server of [first, second]) expect((await read(server)).environment).toMatchObject({ state: "building", phase: "download" });
    const downloads = () => index.requests.filter((path) => path.endsWith(wheel)).length;
    await expect.poll(downloads).toBe(1);

    index.behave(wheel, "serve"); // what hangs goes on hanging
    const { rows } = await client.query<{ pid: number }>(
      "select pid from workers where id = (select worker_id from environments where id = $1)",
      [environmentId],
    );
    const isFirst = first.server.child.pid === rows[0]?.pid;
    const [killed, survivor] = isFirst ? [first, second] : [second, first];
    expect(killed.server.child.pid).toBe(rows[0]?.pid);
    killed.server.child.kill("SIGKILL");
    await Promise.allSettled(followed.map(({ ended }) => ended));

    const seen = followed[isFirst ? 1 : 0]?.events ?? [];
    expect(seen.at(-1)).toMatchObject({ type: "end", environment: { state: "ready", isHere: true, buildCount: 1, error: null } });
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_event, place) => place + 1));
    expect(seen.filter((event) => event.type === "phase" && event.phase === "download")).toHaveLength(2);
    expect(downloads()).toBe(2);
    expect([survivor.there("layers").length, survivor.there("unfinished")]).toEqual([1, []]);
    const run = async (server: typeof first) => {
      const { status, stdout } = await server.call<Run>("POST", "runs?wait=true", { programId });
      return [status, stdout];
    };
    expect(await run(survivor)).toEqual(["succeeded", "there\n"]);
    expect((await client.query("select seq from environment_build_records")).rows).toEqual([]);

    // The one that was killed has nothing of it, and installs the same from the lock.
    await killed.server.exited();
    await using back = await start(isFirst ? "first" : "second");
    expect([back.there("layers"), back.there("unfinished")]).toEqual([[], []]);
    expect((await read(back)).environment).toMatchObject({ state: "ready", isHere: false });
    const again = back.events(environmentId);
    await ask(back);
    await again.ended;
    await expect.poll(async () => (await read(back)).environment?.isHere, { timeout: 30_000 }).toBe(true);
    const layers = await client.query<{ digest: string }>("select digest from environment_layers where environment_id = $1", [
      environmentId,
    ]);
    expect(layers.rows).toHaveLength(2);
    expect(new Set(layers.rows.map(({ digest }) => digest)).size).toBe(1);
  },
  120_000,
);
