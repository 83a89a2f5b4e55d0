import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "@syla/server/config";
import type { Context } from "@syla/server/context";
import { createLogger } from "@syla/server/platform/logger";
import { startServer, type RunningServer, type StartOptions } from "@syla/server/server";
import { createTestDatabase } from "./database.ts";
import { borrowAgent } from "./agent.ts";
import { borrowLibraries, lendLibraries } from "./libraries.ts";
import { rememberVersions } from "./versions.ts";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** A whole server inside the test's process, with data of its own. */
export interface TestServer {
  readonly url: string;
  readonly dataDir: string;
  readonly context: Context;
  readonly running: RunningServer;
  /** The key of the local OS user; it acts as the first admin. */
  readonly localKey: string;
  /** Calls a path, as the first admin unless the headers say otherwise (`authorization: ""` is nobody). */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends JSON with `fetch`. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Variables that replace those of the test server, e.g. `{ SYLA_BASE_PATH: "/syla" }`. */
export type ServerVariables = Readonly<Record<string, string>>;

/**
 * Starts a server on a free port and a cloned database. Every JSON answer is checked against the contracts. Its sandboxes are made when somebody
 * wants one, unless the options say otherwise (`sandboxes: {}`).
 */
export async function startTestServer(
  variables: ServerVariables = {},
  options: Omit<StartOptions, "checkAnswers" | "knownVersions"> = {},
): Promise<TestServer> {
  const stack = new AsyncDisposableStack();
  try {
    const directory = stack.use(createTemporaryDirectory());
    const database = stack.use(await createTestDatabase());
    const dataDir = variables["SYLA_DATA_DIR"] ?? join(directory.path, "data");
    const config = loadConfig({
      SYLA_DATA_DIR: dataDir,
      SYLA_PORT: "0",
      DATABASE_URL: database.url,
      SYLA_DRAIN_SECONDS: "5",
      ...variables,
    });
    borrowLibraries(dataDir);
    stack.defer(() => lendLibraries(dataDir));
    const sandboxes = { maxSpares: 0, agent: await borrowAgent() };
    const logger = createLogger((variables["SYLA_LOG_LEVEL"] as "silent" | undefined) ?? "silent");
    const running = await rememberVersions((knownVersions) =>
      startServer(config, logger, { checkAnswers: true, knownVersions, sandboxes, ...options }),
    );
    stack.defer(() => running.stopNow());
    const localKey = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
    const call = (path: string, init: RequestInit = {}) =>
      fetch(running.url + path, { redirect: "manual", ...init, headers: headersOf(init.headers, localKey) });
    return {
      url: running.url,
      dataDir,
      context: running.context,
      running,
      localKey,
      fetch: call,
      send: (method, path, body, headers = {}) =>
        call(path, {
          method,
          headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function headersOf(given: RequestInit["headers"], localKey: string): Headers {
  const headers = new Headers(given);
  if (!headers.has("authorization") && !headers.has("cookie")) headers.set("authorization", `Bearer ${localKey}`);
  if (headers.get("authorization") === "") headers.delete("authorization");
  return headers;
}
