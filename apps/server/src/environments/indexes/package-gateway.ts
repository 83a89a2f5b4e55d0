import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { AppError } from "@syla/contracts/errors";
import type { HostCall, HostNames } from "@syla/sandbox/egress/hosts";
import { LRUCache } from "lru-cache";
import { hostProblem, type RevealedCredential } from "../../credentials/service.ts";
import type { PackageIndex } from "../package-index.ts";
import type { Manager } from "../request.ts";
import { askIndex, readAnswer, type IndexAnswer } from "./ask-index.ts";
import { createFileFolders } from "./file-folders.ts";
import { createTurns } from "./page-turns.ts";
import { rewriteNodePackage, rewritePythonPage } from "./rewrite.ts";
import { normalizeName, routeOf, type RoutedIndex } from "./routing.ts";

/** The one index that a build with indexes of its own knows. */
const host = "packages.syla.internal";
const address = `http://${host}`;
const maxPageBytes = 32 * 1024 * 1024;
/** One that trickles holds up its own build alone. */
const pageMs = 30_000;
const mostProblems = 100;
/** A page takes several times its size while it is rewritten: so many at once on this server. */
const takePageTurn = createTurns(3);
const passedOn = ["content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified"];
const asked = ["accept", "range", "if-range"];

/** What is wrong with an index, as far as a build has seen it. */
export interface IndexProblem {
  readonly index: string;
  readonly code: "index_refused" | "index_unreachable";
  readonly detail: string;
}

interface GatewayOptions {
  readonly manager: Manager;
  readonly indexes: readonly RoutedIndex[];
  /** The server's own index: what no pattern names comes from there, asked by the build itself. */
  readonly fallback: string;
  readonly reveal: (credentialId: string) => Promise<RevealedCredential>;
}

/**
 * The index of one build, inside the server: it says where each package comes from, asks there with the credential, and hands on what it gets. The
 * sandbox sees neither the credential nor the index's own address, reads packages and nothing else, and cannot write. A package that a pattern
 * names is never looked for anywhere else.
 */
export class PackageGateway {
  readonly hosts: HostNames = { [host]: (call) => void this.#answer(call) };
  readonly #options: GatewayOptions;
  readonly #credentials = new Map<string, Promise<string>>();
  readonly #folders = createFileFolders();
  /** Addresses by file names, by packages. What is forgotten is asked for anew. */
  readonly #archives = new LRUCache<string, ReadonlyMap<string, string>>({ max: 200 });
  readonly #takeOwnTurn = createTurns(1);
  /** By address, as long as it has not answered better since. */
  readonly #problems = new Map<string, IndexProblem>();

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** The first thing that went wrong. */
  get problem(): IndexProblem | null {
    return this.#problems.values().next().value ?? null;
  }

  /** How a package manager is told. */
  adapt({ allow, env, url }: PackageIndex): PackageIndex {
    const { manager, indexes } = this.#options;
    const own = indexes.flatMap((index) => index.packages);
    const told: Record<string, string> =
      manager === "uv"
        ? { UV_DEFAULT_INDEX: `${address}/simple` }
        : manager === "npm"
          ? { npm_config_registry: `${address}/` }
          : { GOPROXY: `${address}/go`, GONOSUMDB: own.map((pattern) => pattern.replace(/\/\*$/, "")).join(",") };
    return { allow, url, env: { ...env, ...told } };
  }

  async #answer(call: HostCall): Promise<void> {
    const { request, response, path } = call;
    request.resume();
    try {
      if (request.method !== "GET" && request.method !== "HEAD") return void response.writeHead(405, { allow: "GET, HEAD" }).end();
      const { manager } = this.#options;
      await (manager === "uv" ? this.#python(call, path) : manager === "npm" ? this.#node(call, path) : this.#go(call, path));
    } catch {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { "content-type": "text/plain" }).end("The package index could not be asked.\n");
    }
  }

  async #python(call: HostCall, path: string): Promise<void> {
    const project = /^\/simple\/([A-Za-z0-9._-]{1,200})\/?$/.exec(path)?.[1];
    if (project !== undefined) {
      const name = normalizeName("uv", project);
      const index = this.#route(name);
      if (index === null) return this.#elsewhere(call, `${name}/`);
      const url = below(index.url, `${name}/`);
      const found = await this.#ask(call, index, url, "application/vnd.pypi.simple.v1+json, text/html;q=0.1");
      if (found.answer.statusCode !== 200) return await this.#pass(call, found);
      const type = found.answer.headers["content-type"] ?? "text/html";
      const rename = (file: URL) => `${address}${this.#folders.pathOf(index, file)}`;
      const page = await this.#read(index, url, found, (text) => rewritePythonPage(text, type, found.url, rename));
      return void call.response.writeHead(200, { "content-type": type }).end(page);
    }
    const file = this.#folders.find(path);
    if (file === null) return void call.response.writeHead(404).end();
    await this.#pass(call, await this.#ask(call, file.index, file.url));
  }

  async #node(call: HostCall, path: string): Promise<void> {
    const plain = decodeURIComponent(path.split("?", 1)[0] ?? "").slice(1);
    // An archive is known by the end of its path: locks that others have written hold whatever folder their registry had.
    const [, owner, file] = /(?:^|\/)((?:@[^/]+\/)?[^/]+)\/-\/([^/\\%?#]+\.tgz)$/.exec(plain) ?? [];
    const name = owner ?? plain;
    if (!/^(?:@[\w.~-]+\/)?[\w.~-]+$/.test(name) || name.split("/").some(isDots)) return void call.response.writeHead(404).end();
    const index = this.#route(name);
    if (index === null) return this.#elsewhere(call, file === undefined ? name.replace("/", "%2f") : `${name}/-/${file}`);
    if (file !== undefined) {
      const url = (this.#archives.get(name) ?? (await this.#describe(call, index, name))?.archives)?.get(file);
      if (url === undefined) return void call.response.writeHead(404).end();
      return await this.#pass(call, await this.#ask(call, index, new URL(url)));
    }
    const described = await this.#describe(call, index, name);
    if (described !== null) call.response.writeHead(200, { "content-type": "application/json" }).end(described.text);
  }

  /** Null: the answer was handed on as it is. */
  async #describe(call: HostCall, index: RoutedIndex, name: string): Promise<ReturnType<typeof rewriteNodePackage> | null> {
    const url = below(index.url, name.replace("/", "%2f"));
    const found = await this.#ask(call, index, url, "application/json");
    if (found.answer.statusCode !== 200) {
      await this.#pass(call, found);
      return null;
    }
    const described = await this.#read(index, url, found, (text) =>
      rewriteNodePackage(text, found.url, (file) => `${address}/${name}/-/${file}`),
    );
    this.#archives.set(name, described.archives);
    return described;
  }

  async #go(call: HostCall, path: string): Promise<void> {
    const [, escaped, rest] = /^\/go\/([A-Za-z0-9!._~/-]{1,500}?)(\/@(?:v\/[A-Za-z0-9!._~+-]+|latest))$/.exec(path) ?? [];
    if (escaped === undefined || rest === undefined || `${escaped}${rest}`.split("/").some((part) => part === "" || isDots(part)))
      return void call.response.writeHead(404).end();
    const name = escaped.replaceAll(/!([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    const index = this.#route(name);
    if (index === null) return this.#elsewhere(call, `${escaped}${rest}`);
    await this.#pass(call, await this.#ask(call, index, below(index.url, `${escaped}${rest}`)));
  }

  #route(name: string): RoutedIndex | null {
    return routeOf(this.#options.manager, this.#options.indexes, name);
  }

  /** To the server's own index, which the build may reach by itself. */
  #elsewhere({ response }: HostCall, path: string): void {
    response.writeHead(307, { location: below(this.#options.fallback, path).href }).end();
  }

  /** @throws Error after it was noted */
  async #ask({ request, connect }: HostCall, index: RoutedIndex, url: URL, accept?: string): Promise<IndexAnswer> {
    const { origin } = new URL(index.url);
    try {
      const value = index.credentialId === null ? null : await this.#authorization(index.credentialId, index.url);
      const own = accept === undefined ? Object.fromEntries(asked.flatMap((name) => headerOf(request, name))) : { accept };
      const found = await askIndex(
        {
          method: accept === undefined && request.method === "HEAD" ? "HEAD" : "GET",
          url,
          headers: own,
          authorization: value === null ? null : { origin, value },
          namedOrigin: index.isShared ? origin : null,
        },
        connect,
      );
      const { statusCode = 0 } = found.answer;
      if (statusCode === 401 || statusCode === 403) this.#note(index, url, "index_refused", `it answered ${statusCode}`);
      else if (statusCode >= 500) this.#note(index, url, "index_unreachable", `it answered ${statusCode}`);
      else this.#problems.delete(url.href);
      return found;
    } catch (error) {
      const isCredential = error instanceof AppError;
      this.#note(
        index,
        url,
        isCredential ? "index_refused" : "index_unreachable",
        error instanceof Error ? error.message : "it did not answer",
      );
      throw error;
    }
  }

  async #read<T>(index: RoutedIndex, url: URL, { answer }: IndexAnswer, use: (text: string) => T): Promise<T> {
    try {
      return await this.#takeOwnTurn(() => takePageTurn(async () => use(await readAnswer(answer, maxPageBytes, pageMs))));
    } catch (error) {
      this.#note(index, url, "index_unreachable", error instanceof SyntaxError ? "its answer cannot be read" : (error as Error).message);
      throw error;
    }
  }

  async #pass({ response }: HostCall, { answer }: IndexAnswer): Promise<void> {
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(passedOn.flatMap((name) => headerOf(answer, name))));
    await pipeline(answer, response);
  }

  /** @throws AppError `credential_…` also when it is for another host, as it may be since the index was made */
  #authorization(credentialId: string, url: string): Promise<string> {
    const place = `${credentialId} ${new URL(url).origin}`;
    let found = this.#credentials.get(place);
    if (found === undefined) {
      found = this.#options.reveal(credentialId).then(({ username, value, host: meant }) => {
        const problem = hostProblem(meant, url);
        if (problem !== null) throw new AppError("credential_unusable", { message: `The credential ${problem}.` });
        return authorizationOf({ username, value });
      });
      this.#credentials.set(place, found);
    }
    return found;
  }

  #note({ name }: RoutedIndex, { href }: URL, code: IndexProblem["code"], detail: string): void {
    if (this.#problems.size < mostProblems || this.#problems.has(href)) this.#problems.set(href, { index: name, code, detail });
  }
}

/** An address below that of an index. */
export function below(url: string, path: string): URL {
  return new URL(path, url.endsWith("/") ? url : `${url}/`);
}

/** Of a path: what leads elsewhere, or may be taken for it. */
function isDots(part: string): boolean {
  return /^\.+$/.test(part);
}

/** How an index is told who asks. */
export function authorizationOf({ username, value }: Pick<RevealedCredential, "username" | "value">): string {
  if (username === null || username === "") return `Bearer ${value.reveal()}`;
  return `Basic ${Buffer.from(`${username}:${value.reveal()}`).toString("base64")}`;
}

function headerOf(message: IncomingMessage, name: string): [string, string][] {
  const value = message.headers[name];
  return typeof value === "string" ? [[name, value]] : [];
}
