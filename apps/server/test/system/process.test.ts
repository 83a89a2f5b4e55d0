import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { prepareCluster } from "@syla/testkit/cluster";
import { findProcesses } from "@syla/testkit/processes";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

describe("server process with its own PostgreSQL", () => {
  let directory: TemporaryDirectory;
  let dataDir: string;
  beforeEach(() => {
    directory = createTemporaryDirectory();
    dataDir = join(directory.path, "data");
  });
  const cluster = () => join(dataDir, "postgres/cluster");
  afterEach(() => directory[Symbol.dispose]());

  const localKey = () => readFileSync(join(dataDir, "cli.key"), "utf8").trim();
  const whoAmI = async (url: string) =>
    (await fetch(`${url}/api/v1/users/me`, { headers: { authorization: `Bearer ${localKey()}` } })).json() as Promise<{ id: string }>;

  it("starts, keeps its files private, stops on SIGTERM, and starts again with the same data", async () => {
    await using first = spawnServer(dataDir);
    const before = await whoAmI(await first.ready());
    const firstKey = localKey();
    for (const name of ["", "cli.key", "secret", "server.json", "server.lock", "postgres", "postgres/password", "blobs"]) {
      expect([name, statSync(join(dataDir, name)).mode & 0o077]).toEqual([name, 0]);
    }
    expect(JSON.parse(readFileSync(join(dataDir, "layout.json"), "utf8"))).toEqual({ layout: expect.any(Number) as number });
    first.child.kill("SIGTERM");
    expect(await first.exited()).toBe(0);
    expect(existsSync(join(dataDir, "server.json"))).toBe(false);
    expect(findProcesses(cluster())).toEqual([]);

    await using second = spawnServer(dataDir);
    expect(await whoAmI(await second.ready())).toEqual(before);
    expect(localKey()).not.toBe(firstKey);
    second.child.kill("SIGINT");
    expect(await second.exited()).toBe(0);
  });

  it("leaves no PostgreSQL behind after kill -9, and starts at once after it", async () => {
    await prepareCluster(dataDir);
    await using first = spawnServer(dataDir);
    const before = await whoAmI(await first.ready());
    first.child.kill("SIGKILL");
    await using second = spawnServer(dataDir);
    expect(await whoAmI(await second.ready())).toEqual(before);
    // a process that the postmaster has just forked still has the postmaster's command line
    await vi.waitFor(() => expect(findProcesses(cluster())).toHaveLength(1), { timeout: 10_000 });
    second.child.kill("SIGKILL");
    await second.exited();
    while (findProcesses(cluster()).length > 0) await sleep(50);
  });

  it("refuses a second server on the same data, naming the first", async () => {
    await prepareCluster(dataDir);
    await using first = spawnServer(dataDir);
    const url = await first.ready();
    await using second = spawnServer(dataDir);
    expect(await second.exited()).toBe(75);
    expect(second.output()).toMatch(new RegExp(`^syla: data_dir_in_use: .*pid ${first.child.pid}\\b.*\\n$`));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it("writes no secret into its log, however much it logs", async () => {
    // It makes its database itself: the password for that is a secret like the others.
    await using server = spawnServer(dataDir, { SYLA_LOG_LEVEL: "trace" });
    const url = await server.ready();
    const { setupUrl } = JSON.parse(readFileSync(join(dataDir, "server.json"), "utf8")) as { setupUrl: string };
    const token = new URL(setupUrl).searchParams.get("token") ?? "";
    const send = (path: string, body: object, headers: Record<string, string> = {}) =>
      fetch(url + path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
    await fetch(`${url}/api/v1/setup?token=${token}`);
    const done = await send("/api/v1/setup", { token, name: "Ann", email: "ann@example.org", password: "planted-password" });
    expect(done.status).toBe(201);
    await send("/api/v1/sessions", { email: "ann@example.org", password: "planted-wrong-password" });
    const cookie = done.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    const created = await send("/api/v1/api-keys", { name: "ci" }, { cookie });
    const { key } = (await created.json()) as { key: string };
    await fetch(`${url}/api/v1/users/me`, { headers: { authorization: `Bearer ${key}` } });
    await fetch(`${url}/api/v1/users/me`, { headers: { authorization: "Bearer planted-wrong-key" } });
    await fetch(`${url}/no/such?token=${token}`);
    server.child.kill("SIGTERM");
    await server.exited();
    const log = server.output();
    expect(log).toContain("/api/v1/users/me");
    const secret = readFileSync(join(dataDir, "secret"), "utf8").trim();
    const databasePassword = readFileSync(join(dataDir, "postgres/password"), "utf8").trim();
    for (const planted of ["planted-", token, key, localKey(), cookie.split("=")[1] ?? "", secret, databasePassword])
      expect(log).not.toContain(planted);
  });

  it("answers 503 while its PostgreSQL is away, and recovers", async () => {
    await prepareCluster(dataDir);
    await using server = spawnServer(dataDir);
    const url = await server.ready();
    const pid = Number(readFileSync(join(dataDir, "postgres/cluster/postmaster.pid"), "utf8").split("\n", 1)[0]);
    process.kill(pid, "SIGKILL");
    const statuses = new Set<number>();
    const key = localKey();
    const invalid = new Set<number>();
    for (let ready = false; !ready || !statuses.has(503);) {
      const response = await fetch(`${url}/readyz`);
      statuses.add(response.status);
      ready = response.status === 200;
      invalid.add((await fetch(`${url}/api/v1/users/me`, { headers: { authorization: "Bearer syla_unknown" } })).status);
    }
    // A key that cannot be looked up is not a wrong key; which of the two is told apart by the database alone.
    for (const status of invalid) expect([401, 503]).toContain(status);
    expect((await fetch(`${url}/api/v1/users/me`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe("server process that cannot start", () => {
  let directory: TemporaryDirectory;
  let dataDir: string;
  beforeEach(() => {
    directory = createTemporaryDirectory();
    dataDir = join(directory.path, "data");
  });
  const cluster = () => join(dataDir, "postgres/cluster");
  afterEach(() => directory[Symbol.dispose]());

  async function failure(variables: Record<string, string>): Promise<{ line: string; exitCode: number | null }> {
    await using server = spawnServer(dataDir, { SYLA_LOG_LEVEL: "silent", ...variables });
    const exitCode = await server.exited();
    const text = server.output();
    expect(text.trim().split("\n")).toHaveLength(1);
    expect(text).not.toMatch(/\n\s+at /);
    return { line: text, exitCode };
  }

  it("names the port in use and leaves nothing running", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const address = holder.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const { line, exitCode } = await failure({ SYLA_PORT: port });
    expect(exitCode).toBe(69);
    expect(line).toContain(`port_in_use: The port ${port} on 127.0.0.1 is in use.`);
    expect(line).toContain("--port");
    expect(findProcesses(cluster())).toEqual([]);
    holder.close();
  });

  it("refuses an address that others reach, before it writes anything", async () => {
    const { line, exitCode } = await failure({ SYLA_HOST: "0.0.0.0" });
    expect([exitCode, line]).toEqual([78, expect.stringContaining("insecure_bind") as string]);
    expect(existsSync(dataDir)).toBe(false);
  });

  it("lists everything that is wrong with the configuration", async () => {
    const { line, exitCode } = await failure({ SYLA_PORT: "x", SYLA_TRUST_PROXY: "y" });
    expect(exitCode).toBe(78);
    expect(line).toMatch(/SYLA_PORT.*SYLA_TRUST_PROXY/s);
  });

  it("refuses a data directory of a newer version, and changes nothing in it", async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "layout.json"), '{"layout":999}');
    expect(await failure({})).toMatchObject({ exitCode: 78, line: expect.stringContaining("data_dir_newer") as string });
    expect(existsSync(join(dataDir, "postgres/cluster"))).toBe(false);
  });

  it("says that the data directory cannot be made", async () => {
    writeFileSync(dataDir, "a file");
    expect(await failure({})).toMatchObject({ exitCode: 78, line: expect.stringContaining("data_dir_unusable") as string });
  });

  it("says that the database does not answer, without its password", async () => {
    const { line, exitCode } = await failure({ DATABASE_URL: "postgres://ann:hunter2@127.0.0.1:1/syla" });
    expect([exitCode, line]).toEqual([69, expect.stringContaining("database_unavailable") as string]);
    expect(line).not.toContain("hunter2");
  });
});
