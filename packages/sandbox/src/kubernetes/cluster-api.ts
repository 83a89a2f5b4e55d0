import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { z } from "zod";
import type { ClusterAccess } from "./cluster-access.ts";
import type { Manifest } from "./manifest.ts";

/** The part of the API of Kubernetes that sandboxes need: documents are made, read, listed, watched and deleted. */

const requestMs = 15_000;
const longestBytes = 64 << 20;
const longestLine = 4 << 20;
/** The server ends a watch after so long; one that is silent for longer is lost. */
const watchSeconds = 120;
const silentMs = (watchSeconds + 30) * 1000;

const Meta = z.looseObject({
  name: z.string().default(""),
  namespace: z.string().default(""),
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  labels: z.record(z.string(), z.string()).default({}),
  deletionTimestamp: z.string().optional(),
});
/** A document as the cluster has it. */
export const Stored = z.looseObject({ kind: z.string().optional(), metadata: Meta });
export type Stored = z.infer<typeof Stored>;
const List = z.object({ metadata: z.looseObject({ resourceVersion: z.string() }), items: z.array(Stored).nullable() });
const Status = z.object({
  reason: z.string().default(""),
  message: z.string().default(""),
  code: z.int().optional(),
  details: z.unknown().optional(),
});
const Event = z.object({ type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]), object: z.unknown() });

export interface ClusterEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Stored;
}

/** The cluster refused. `status`: as HTTP has it; `reason`: as Kubernetes has it. */
export class ClusterRefusalError extends Error {
  override readonly name = "ClusterRefusalError";
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | null;

  constructor(status: number, reason: string, message: string, retryAfterMs: number | null = null) {
    super(message === "" ? `the cluster answered ${status} ${reason}` : message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Nobody answers, or not as an API server does. */
export class ClusterUnreachableError extends Error {
  override readonly name = "ClusterUnreachableError";
}

/** Paths are those of the API's documentation, below the server's address. */
export class ClusterApi {
  readonly #access: ClusterAccess;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(access: ClusterAccess) {
    this.#access = access;
    const { authority, certificate, serverName } = access;
    this.#agent = access.server.startsWith("https:")
      ? new HttpsAgent({
          keepAlive: true,
          minVersion: "TLSv1.2",
          ...(authority === null ? {} : { ca: authority }),
          ...(serverName === null ? {} : { servername: serverName }),
          ...certificate,
        })
      : new HttpAgent({ keepAlive: true });
  }

  async create(path: string, manifest: Manifest): Promise<Stored> {
    return check(Stored, await this.#ask("POST", path, manifest));
  }

  /** Makes it what the manifest says, whether it is there or not. `collection`: where those of its kind are. */
  async apply(collection: string, manifest: Manifest): Promise<Stored> {
    const path = `${collection}/${manifest.metadata.name}?${String(new URLSearchParams({ fieldManager: "syla", force: "true" }))}`;
    return check(Stored, await this.#ask("PATCH", path, manifest, "application/apply-patch+yaml"));
  }

  async get(path: string): Promise<Stored> {
    return check(Stored, await this.#ask("GET", path));
  }

  /** With the version that a watch begins after. */
  async list(path: string, labels: string): Promise<{ items: Stored[]; version: string }> {
    const { metadata, items } = check(List, await this.#ask("GET", `${path}?${String(new URLSearchParams({ labelSelector: labels }))}`));
    return { items: items ?? [], version: metadata.resourceVersion };
  }

  /** Whatever depends on it goes after it. One that is not there is no trouble. `uid`: only if it is that one. */
  async delete(path: string, options: { readonly graceSeconds?: number; readonly uid?: string } = {}): Promise<void> {
    const { graceSeconds, uid } = options;
    const wish = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: "Background",
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    try {
      await this.#ask("DELETE", path, wish);
    } catch (error) {
      const isGone = error instanceof ClusterRefusalError && (error.status === 404 || (uid !== undefined && error.status === 409));
      if (!isGone) throw error;
    }
  }

  /** What happens after a version, until the server or the network ends it. A version that is too old: {@link ClusterRefusalError} 410. */
  async *watch(path: string, labels: string, version: string, signal: AbortSignal): AsyncGenerator<ClusterEvent, void, void> {
    const query = new URLSearchParams({
      watch: "true",
      labelSelector: labels,
      resourceVersion: version,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(watchSeconds),
    });
    const response = await this.#send("GET", `${path}?${query.toString()}`, undefined, silentMs, signal);
    if (response.statusCode !== 200) throw refusalOf(response, await readAll(response));
    for await (const line of linesOf(response)) {
      const { type, object } = parse(Event, line);
      if (type === "ERROR") {
        const { code = 500, reason, message } = check(Status, object);
        throw new ClusterRefusalError(code, reason, message);
      }
      yield { type, object: check(Stored, object) };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #ask(method: string, path: string, body?: unknown, type = "application/json"): Promise<unknown> {
    const response = await this.#send(method, path, body, requestMs, AbortSignal.timeout(requestMs), type);
    const text = await readAll(response);
    const { statusCode = 500 } = response;
    if (statusCode >= 200 && statusCode < 300) return parse(z.unknown(), text);
    throw refusalOf(response, text);
  }

  async #send(
    method: string,
    path: string,
    body: unknown,
    silenceMs: number,
    signal: AbortSignal,
    type = "application/json",
  ): Promise<IncomingMessage> {
    const token = await this.#access.token();
    const url = new URL(this.#access.server + path);
    const content = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const headers = {
      accept: "application/json",
      "user-agent": "syla",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(content === null ? {} : { "content-type": type, "content-length": content.length }),
    };
    const options: RequestOptions = { method, headers, agent: this.#agent, signal, timeout: silenceMs };
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = url.protocol === "https:" ? httpsRequest(url, options, resolve) : httpRequest(url, options, resolve);
      sent.once("timeout", () => sent.destroy(new ClusterUnreachableError("the cluster does not answer")));
      sent.on("error", (error) => reject(unreachable(error)));
      sent.end(content);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > longestBytes) throw new ClusterUnreachableError("the cluster's answer does not end");
    }
  } catch (error) {
    response.destroy();
    throw unreachable(error);
  }
  return Buffer.concat(chunks).toString();
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, void> {
  let pending = "";
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) {
      const lines = (pending + (chunk as string)).split("\n");
      pending = lines.pop() ?? "";
      if (pending.length > longestLine) throw new ClusterUnreachableError("a line of a watch does not end");
      for (const line of lines) if (line !== "") yield line;
    }
  } catch (error) {
    throw unreachable(error);
  } finally {
    response.destroy();
  }
}

function refusalOf({ statusCode = 500, headers }: IncomingMessage, text: string): ClusterRefusalError {
  const after = Number(headers["retry-after"]);
  const retryAfterMs = Number.isFinite(after) && after >= 0 ? after * 1000 : null;
  try {
    const { reason, message } = Status.parse(JSON.parse(text));
    return new ClusterRefusalError(statusCode, reason, message, retryAfterMs);
  } catch {
    return new ClusterRefusalError(statusCode, "", text.slice(0, 300), retryAfterMs);
  }
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ClusterUnreachableError("the cluster does not answer as an API server does", { cause: error });
  }
  return check(schema, value);
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  try {
    return schema.parse(value);
  } catch (error) {
    throw new ClusterUnreachableError("the cluster does not answer as an API server does", { cause: error });
  }
}

function unreachable(error: unknown): Error {
  if (error instanceof ClusterUnreachableError || error instanceof ClusterRefusalError) return error;
  return new ClusterUnreachableError(`the cluster cannot be reached: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
