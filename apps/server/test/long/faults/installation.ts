import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogger } from "@syla/server/platform/logger";
import { EmbeddedPostgres, ensureDatabase } from "@syla/server/platform/postgres";
import { databaseUrl } from "@syla/testkit/database-url";
import { startTestRedis, type TestRedis } from "@syla/testkit/redis";
import { startTestS3 } from "@syla/testkit/s3";
import { spawnServer, type ServerProcess } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";

/** One server of the installation, whichever process it is at the moment. */
export interface Node {
  readonly name: string;
  /** It is asked over HTTP; the others only take runs from the queue. */
  readonly isAsked: boolean;
  readonly dataDir: string;
  /** Empty while it is away. */
  url: string;
  /** The first admin's, which each start makes anew. */
  key: string;
  server: ServerProcess;
}

/** What is asked of a server. */
export interface Wish {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Several servers on one PostgreSQL, one Redis and one store of content, all of them real processes that can be killed. */
export interface Installation extends AsyncDisposable {
  readonly folder: string;
  readonly nodes: readonly Node[];
  readonly postgres: EmbeddedPostgres;
  readonly redis: TestRedis;
  /** Every process that a server has been. */
  readonly pids: readonly number[];
  start(node: Node): Promise<void>;
  /** Asks again until the database answers. */
  query<T extends object>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** @throws when the server is away or hangs up */
  call(node: Node, method: string, path: string, wish?: Wish): Promise<Response>;
  /** Everything that the servers have said; they speak of what is wrong only. */
  output(): string;
}

/** Starts two servers that are asked and one that only works. `variables` are those of all of them. */
export async function startInstallation(variables: Readonly<Record<string, string>>): Promise<Installation> {
  const stack = new AsyncDisposableStack();
  try {
    const { path: folder } = stack.use(createTemporaryDirectory());
    const s3 = stack.use(await startTestS3());
    const redis = stack.use(await startTestRedis());
    // A killed process takes nothing from the disk: only the machine would have to be waited for.
    const postgres = await EmbeddedPostgres.start(join(folder, "postgres"), createLogger("silent"), ["fsync=off"]);
    stack.defer(() => postgres.stop());
    await ensureDatabase(postgres, "syla");
    const address = postgres.address("syla");
    const pool = new pg.Pool({ ...address, max: 2, application_name: "observer" });
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    stack.defer(() => pool.end());
    const [pids, outputs]: [number[], ServerProcess[]] = [[], []];
    const spawn = (name: string): ServerProcess => {
      const server = spawnServer(join(folder, name), {
        ...s3.variables,
        DATABASE_URL: `${databaseUrl(address)}&application_name=${name}`,
        SYLA_REDIS_URL: redis.url,
        SYLA_WORKER_SLOTS: "4",
        SYLA_LOG_LEVEL: "error",
        ...variables,
      });
      pids.push(server.child.pid ?? 0);
      outputs.push(server);
      return server;
    };
    const open = async (name: string, isAsked: boolean): Promise<Node> => {
      const node: Node = { name, isAsked, dataDir: join(folder, name), url: "", key: "", server: spawn(name) };
      stack.defer(() => node.server[Symbol.asyncDispose]());
      await becomeReady(node);
      return node;
    };
    const first = await open("first", true);
    const others = ["second", "third"].map((name) => {
      // Servers that share a database share what secrets are derived from.
      mkdirSync(join(folder, name), { mode: 0o700 });
      copyFileSync(join(first.dataDir, "secret"), join(folder, name, "secret"));
      return open(name, name === "second");
    });
    const nodes = [first, ...(await Promise.all(others))];
    const owned = stack.move();
    return {
      folder,
      nodes,
      postgres,
      redis,
      pids,
      async start(node) {
        node.server = spawn(node.name);
        await becomeReady(node);
      },
      async query<T extends object>(text: string, values: readonly unknown[] = []) {
        for (let tries = 400; ; tries -= 1) {
          try {
            return (await pool.query<T>(text, [...values])).rows;
          } catch (error) {
            // What PostgreSQL says of the statement itself is final; anything else is an outage.
            const code = error instanceof pg.DatabaseError ? (error.code ?? "") : "57";
            if (tries === 0 || !/^(?:08|53|57)/.test(code)) throw error;
            await sleep(50);
          }
        }
      },
      call: ({ key, url }, method, path, { body, headers = {}, signal } = {}) =>
        fetch(url + path, {
          method,
          headers: {
            authorization: `Bearer ${key}`,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          ...(signal === undefined ? {} : { signal }),
        }),
      output: () => outputs.map((server) => server.output()).join(""),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function becomeReady(node: Node): Promise<void> {
  const url = await node.server.ready();
  node.key = readFileSync(join(node.dataDir, "cli.key"), "utf8").trim();
  node.url = url;
}
