import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { refusalOf, type Refusal } from "./admission.ts";
import { Kubelet } from "./kubelet.ts";
import { Store, type Document } from "./store.ts";

/**
 * A cluster for tests: an API server that speaks the protocol of Kubernetes on loopback for the resources that sandboxes need, with the controllers
 * that those count on, and one node. It can be told to fail in the ways of clusters.
 */

const resources = "pods|jobs|secrets|configmaps|resourcequotas|networkpolicies";
const documentPath = new RegExp(
  `^/(api/v1|apis/batch/v1|apis/networking\\.k8s\\.io/v1)(?:/namespaces/([^/]+))?/(${resources})(?:/([^/]+))?$`,
);
const namespacePath = /^\/api\/v1\/(namespaces)(?:\/([^/]+))?$/;
const bookmarkMs = 100;

interface Target {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export interface TestCluster extends AsyncDisposable {
  readonly server: string;
  readonly token: string;
  readonly store: Store;
  readonly kubelet: Kubelet;
  /** Method and path of each request. */
  readonly requests: readonly string[];
  /** Answers requests that it does not return null for with a refusal. */
  refuse: (method: string, path: string) => Refusal | null;
  /** Carries it out, and cuts the connection instead of answering. */
  loseAnswer: (method: string, path: string) => boolean;
  /** Nobody can connect any more, and connections are cut. */
  down(): Promise<void>;
  up(): Promise<void>;
  cutWatches(): void;
  pods(): Document[];
}

export async function startTestCluster(): Promise<TestCluster> {
  const cluster = new ApiServer();
  await cluster.up();
  return cluster;
}

class ApiServer implements TestCluster {
  readonly token = randomUUID();
  readonly store = new Store();
  readonly kubelet = new Kubelet(this.store);
  readonly requests: string[] = [];
  refuse: TestCluster["refuse"] = () => null;
  loseAnswer: TestCluster["loseAnswer"] = () => false;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<ServerResponse>();
  #http: Server | null = null;
  #port = 0;

  constructor() {
    this.store.watch(({ resource, type, object }) => {
      if (resource === "pods") this.#followJob(object);
      if (type === "DELETED") this.#collect(object.metadata.uid);
    });
  }

  get server(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#http = server;
  }

  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#http?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  cutWatches(): void {
    for (const response of this.#watches) response.socket?.destroy();
  }

  pods(): Document[] {
    return this.store.list("pods");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kubelet.stop();
    await this.down();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET" } = request;
    const url = new URL(request.url ?? "/", this.server);
    this.requests.push(`${method} ${url.pathname}`);
    const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
    const body = chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as Document);
    const refusal = this.refuse(method, url.pathname);
    if (request.headers.authorization !== `Bearer ${this.token}`) return send(response, status(401, "Unauthorized", "Unauthorized"));
    if (refusal !== null) return send(response, status(refusal.code, refusal.reason, refusal.message), refusal.retryAfterSeconds);
    const target = parsePath(url.pathname);
    if (target === null) return send(response, status(404, "NotFound", "the server could not find the requested resource"));
    if (url.searchParams.get("watch") === "true") return this.#watch(target, url.searchParams, response);
    const answer = this.#handle(method, target, url.searchParams, body);
    if (this.loseAnswer(method, url.pathname)) return void request.socket.destroy();
    return send(response, answer);
  }

  #handle(method: string, target: Target, query: URLSearchParams, body: Document | undefined): Answer {
    const { resource, namespace, name } = target;
    if (name === undefined) {
      if (method === "POST" && body !== undefined) return this.#create(target, body);
      const items = this.store.list(resource, namespace).filter((document) => matches(document, query.get("labelSelector")));
      return { code: 200, body: { kind: "List", apiVersion: "v1", metadata: { resourceVersion: String(this.store.version) }, items } };
    }
    const found = this.store.get(resource, namespace, name);
    if (method === "PATCH" && body !== undefined)
      return found === undefined ? this.#create(target, body) : this.#apply(target, found, body);
    if (found === undefined) return status(404, "NotFound", `${resource} "${name}" not found`);
    return method === "DELETE" ? this.#delete(resource, found, body) : { code: 200, body: found };
  }

  #create({ resource, namespace }: Target, body: Document): Answer {
    const { metadata, ...rest } = body;
    const document: Document = {
      ...rest,
      metadata: {
        ...metadata,
        ...(namespace === undefined ? {} : { namespace }),
        uid: randomUUID(),
        resourceVersion: "",
        creationTimestamp: new Date().toISOString(),
      },
      ...(resource === "pods" ? { status: { phase: "Pending" } } : {}),
    };
    const refusal = refusalOf(this.store, resource, document);
    if (refusal !== null) return status(refusal.code, refusal.reason, refusal.message);
    this.store.put(resource, document);
    if (resource === "jobs") this.#makePod(document);
    return { code: 201, body: document };
  }

  #apply({ resource }: Target, found: Document, { metadata, ...rest }: Document): Answer {
    Object.assign(found, rest);
    found.metadata.labels = { ...found.metadata.labels, ...metadata.labels };
    return { code: 200, body: this.store.put(resource, found) };
  }

  #delete(resource: string, found: Document, options: Document | undefined): Answer {
    const uid = options?.["preconditions"]?.uid;
    if (uid !== undefined && uid !== found.metadata.uid) return status(409, "Conflict", "the UID in the precondition does not match");
    const grace: number = options?.["gracePeriodSeconds"] ?? 30;
    if (resource !== "pods") this.store.remove(resource, found);
    else if (grace === 0) this.kubelet.forget(found);
    else this.#terminate(found, grace);
    return { code: 200, body: found };
  }

  #terminate(pod: Document, grace: number): void {
    pod.metadata.deletionTimestamp ??= new Date().toISOString();
    pod.metadata.deletionGracePeriodSeconds = grace;
    this.store.put("pods", pod);
    this.kubelet.end(pod);
  }

  /** The garbage collector. */
  #collect(owner: string): void {
    for (const resource of ["secrets", "pods"])
      for (const document of this.store.list(resource)) {
        if (document.metadata.ownerReferences?.some(({ uid }) => uid === owner) !== true) continue;
        if (resource === "pods") this.#terminate(document, 30);
        else this.store.remove(resource, document);
      }
  }

  /** The controller of jobs. */
  #makePod(job: Document): void {
    const { name, namespace, uid } = job.metadata;
    const { metadata, spec } = job["spec"].template;
    const owner = { apiVersion: "batch/v1", kind: "Job", name, uid, controller: true };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name: `${name}-${randomUUID().slice(0, 5)}`, ownerReferences: [owner] },
      spec,
    };
    this.#create({ resource: "pods", namespace, name: undefined }, pod);
  }

  #followJob({ metadata, status: { phase } = {} }: Document): void {
    const owner = metadata.ownerReferences?.find(({ kind }) => kind === "Job");
    const job = owner === undefined ? undefined : this.store.get("jobs", metadata.namespace, owner.name);
    const type = phase === "Succeeded" ? "Complete" : "Failed";
    if (job === undefined || (phase !== "Succeeded" && phase !== "Failed")) return;
    job["status"] = { conditions: [{ type, status: "True" }] };
    this.store.put("jobs", job);
  }

  #watch({ resource, namespace }: Target, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get("resourceVersion"));
    response.writeHead(200, { "content-type": "application/json", "transfer-encoding": "chunked" });
    const tell = (type: string, object: unknown) => void response.write(`${JSON.stringify({ type, object })}\n`);
    if (from < this.store.forgotten) {
      tell("ERROR", status(410, "Expired", `too old resource version: ${from} (${this.store.forgotten})`).body);
      return void response.end();
    }
    const pass = (type: string, object: Document) => {
      if ((namespace === undefined || object.metadata.namespace === namespace) && matches(object, query.get("labelSelector")))
        tell(type, object);
    };
    for (const { type, object } of this.store.since(resource, from)) pass(type, object);
    const stop = this.store.watch((change) => {
      if (change.resource === resource) pass(change.type, change.object);
    });
    const bookmark = () => tell("BOOKMARK", { kind: "Pod", apiVersion: "v1", metadata: { resourceVersion: String(this.store.version) } });
    const bookmarks = query.get("allowWatchBookmarks") === "true" ? setInterval(bookmark, bookmarkMs) : undefined;
    const end = setTimeout(() => response.end(), Number(query.get("timeoutSeconds") ?? 300) * 1000);
    this.#watches.add(response);
    response.once("close", () => {
      stop();
      clearInterval(bookmarks);
      clearTimeout(end);
      this.#watches.delete(response);
    });
    response.flushHeaders();
  }
}

interface Answer {
  readonly code: number;
  readonly body: unknown;
}

function parsePath(path: string): Target | null {
  const [isNamespace, resource = "", own] = namespacePath.exec(path) ?? [];
  if (isNamespace !== undefined) return { resource, namespace: undefined, name: own };
  const [isDocument, , namespace, kind = "", name] = documentPath.exec(path) ?? [];
  return isDocument === undefined ? null : { resource: kind, namespace, name };
}

function matches({ metadata }: Document, selector: string | null): boolean {
  if (selector === null || selector === "") return true;
  return selector.split(",").every((term) => {
    const [key = "", value] = term.split("=");
    return metadata.labels?.[key] === value;
  });
}

function status(code: number, reason: string, message: string): Answer {
  const outcome = code < 400 ? "Success" : "Failure";
  return { code, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: outcome, code, reason, message } };
}

function send(response: ServerResponse, { code, body }: Answer, retryAfterSeconds?: number): void {
  const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  response.writeHead(code, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
