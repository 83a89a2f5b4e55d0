import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "@syla/server/platform/database";
import { createLogger } from "@syla/server/platform/logger";
import { requestCancel } from "@syla/server/runs/store";
import { createTestDatabase } from "@syla/testkit/database";
import { findProcesses } from "@syla/testkit/processes";
import { submit, waitForRun } from "@syla/testkit/runs";
import { startTestServer } from "@syla/testkit/server";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import type { Service } from "../../src/platform/service.ts";

/** A service whose work in hand ends when told to. */
function createWork(): { service: Service; finish: () => void; calls: string[] } {
  const calls: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const note = (name: string) => calls.push(name);
  return {
    calls,
    finish: resolve,
    service: {
      name: "work",
      run: () => promise,
      drain: async () => {
        note("drain");
        await promise;
        note("drained");
      },
      stop: async () => void note("stop"),
    },
  };
}

describe("stopping", () => {
  it("refuses new connections and waits for the work in hand", async () => {
    await using server = await startTestServer();
    const work = createWork();
    server.context.services.push(work.service);
    const stopped = server.running.stop();
    await sleep(50);
    expect(work.calls).toEqual(["drain"]);
    await expect(fetch(`${server.url}/healthz`, { headers: { connection: "close" } })).rejects.toThrow("fetch failed");
    work.finish();
    await stopped;
    expect(work.calls).toEqual(["drain", "drained", "stop"]);
  });

  it("does not wait longer than it may, nor when it is told to hurry", async () => {
    await using slow = await startTestServer({ SYLA_DRAIN_SECONDS: "0" });
    const stuck = createWork();
    slow.context.services.push(stuck.service);
    await slow.running.stop();
    expect(stuck.calls).toEqual(["drain", "stop"]);

    await using hurried = await startTestServer({ SYLA_DRAIN_SECONDS: "3600" });
    const work = createWork();
    hurried.context.services.push(work.service);
    const stopped = hurried.running.stop();
    await hurried.running.stopNow();
    work.finish();
    await stopped;
    expect(work.calls).toContain("stop");
  });

  it("ends a run that is cancelled elsewhere meanwhile, and waits no longer", async () => {
    await using database = await createTestDatabase();
    await using stack = new AsyncDisposableStack();
    const observer = stack.adopt(openDatabase({ connectionString: database.url }, createLogger("silent")), (value) => value.close());
    await using server = await startTestServer({ DATABASE_URL: database.url, SYLA_DRAIN_SECONDS: "60" });
    const { id } = await submit(server, { language: "bash", code: "echo began; exec sleep 600" });
    await waitForRun(server, id, ({ stdout }) => stdout !== "");
    const stopped = server.running.stop();
    await requestCancel(observer.queries, id);
    const statusNow = async () =>
      (await observer.queries.selectFrom("runs").select("status").where("id", "=", id).executeTakeFirst())?.status;
    await expect.poll(statusNow).toBe("cancelled");
    await stopped;
  });

  it("ends although a part of it hangs or fails in stopping", async () => {
    await using server = await startTestServer({}, { stopMs: 1000 });
    const never = Promise.withResolvers<void>();
    const part = (name: string, stop: () => Promise<void>): Service => ({
      name,
      run: () => never.promise,
      drain: async () => undefined,
      stop,
    });
    server.context.services.push(part("failing", () => Promise.reject(new Error("no"))));
    server.context.services.push(part("hanging", () => never.promise));
    await server.running.stop();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow("fetch failed");
  });

  it("ends although most of it hangs, and what that rests on, too", async () => {
    await using server = await startTestServer({}, { stopMs: 1000 });
    const never = Promise.withResolvers<void>();
    const { context } = server;
    const hanging = { name: "hanging", run: () => never.promise, drain: async () => undefined, stop: () => never.promise };
    context.services.push(...Array.from({ length: 1000 }, () => hanging));
    const { close } = context;
    Object.assign(context, { close: () => never.promise });
    await server.running.stop();
    await close();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow("fetch failed");
  });

  it("takes a signal while it is still starting", async () => {
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    await using server = spawnServer(dataDir);
    while (!existsSync(join(dataDir, "postgres/password"))) await sleep(5);
    expect(existsSync(join(dataDir, "server.json"))).toBe(false);
    server.child.kill("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(findProcesses(dataDir)).toEqual([]);
  });
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe("TLS", () => {
  // Node cannot make a certificate; without openssl there is none to serve.
  it.runIf(hasOpenssl)("serves https on an address that others reach", async () => {
    using directory = createTemporaryDirectory();
    const key = join(directory.path, "key.pem");
    const cert = join(directory.path, "cert.pem");
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        key,
        "-out",
        cert,
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
      ],
      { stdio: "ignore" },
    );
    await using server = await startTestServer({ SYLA_HOST: "0.0.0.0", SYLA_TLS_CERT: cert, SYLA_TLS_KEY: key });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${server.url}/healthz`, { ca: readFileSync(cert) }, (response) => {
        expect(response.headers["strict-transport-security"]).toBeDefined();
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(200);
  });
});
