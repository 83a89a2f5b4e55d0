import { randomBytes } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { deflateSync, gunzipSync } from "node:zlib";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** What the server does besides. */
export interface GitServerBehaviour {
  /** The password without which nobody gets in. */
  token?: string;
  /** Answers every request with a redirection. */
  redirectTo?: string;
  /** Answers those that have logged in with a redirection. */
  redirectLoggedInTo?: string;
  /** Answers nothing. */
  stall?: boolean;
  /** Answers when this resolves. */
  held?: Promise<void>;
  /** Sends files without end when somebody fetches: a repository that grows as fast as it is read, or no faster than ten files a second. */
  endless?: boolean | "slowly";
  /** Answers with this status. */
  status?: number;
}

/** A git server of the test's own on loopback, which speaks the smart HTTP protocol. */
export interface TestGitServer extends AsyncDisposable {
  readonly url: string;
  readonly behaviour: GitServerBehaviour;
  /** Paths that were asked for. */
  readonly requests: string[];
  /** Logins that were sent, as `user:password`. */
  readonly logins: string[];
  /** Makes a repository; each commit is its files. Answers the hashes. */
  create(name: string, commits: readonly GitCommit[]): string[];
  /** Where a repository is, to do more with it. */
  folder(name: string): string;
}

export interface GitCommit {
  readonly files: Readonly<Record<string, string>>;
  readonly branch?: string;
  readonly tag?: string;
}

const identity = [
  "-c",
  "user.name=Test",
  "-c",
  "user.email=test@example.org",
  "-c",
  "init.defaultBranch=main",
  "-c",
  "commit.gpgsign=false",
];

/** Not 127.0.0.1, which programs in a sandbox take for themselves. */
const address = "127.0.0.2";

/** Starts the server; git itself answers (`git http-backend`). */
export async function startTestGitServer(): Promise<TestGitServer> {
  const directory = createTemporaryDirectory();
  const behaviour: GitServerBehaviour = {};
  const requests: string[] = [];
  const logins: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    if (request.headers.authorization !== undefined) logins.push(loginOf(request));
    void (behaviour.held ?? Promise.resolve()).then(() => handle(directory.path, behaviour, request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const folder = (name: string) => join(directory.path, `${name}.git`);
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    behaviour,
    requests,
    logins,
    folder,
    create: (name, commits) => {
      const work = join(directory.path, `${name}.work`);
      const git = (...words: string[]) =>
        execFileSync("git", [...identity, "-C", work, ...words], { stdio: ["ignore", "pipe", "ignore"] }).toString();
      mkdirSync(work);
      git("init", "--quiet");
      const hashes = commits.map(({ files, branch = "main", tag }) => {
        git("checkout", "--quiet", "-B", branch);
        for (const [path, content] of Object.entries(files)) {
          mkdirSync(dirname(join(work, path)), { recursive: true });
          writeFileSync(join(work, path), content);
        }
        git("add", "--all", "--force");
        git("commit", "--quiet", "--allow-empty", "--message", "commit");
        if (tag !== undefined) git("tag", tag);
        return git("rev-parse", "HEAD").trim();
      });
      if (commits.length > 0) git("checkout", "--quiet", "main");
      execFileSync("git", ["clone", "--quiet", "--bare", work, folder(name)], { stdio: "ignore" });
      execFileSync("git", ["-C", folder(name), "config", "uploadpack.allowAnySHA1InWant", "true"]);
      return hashes;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      directory[Symbol.dispose]();
    },
  };
}

function handle(root: string, behaviour: GitServerBehaviour, request: IncomingMessage, response: ServerResponse): void {
  const { redirectTo, redirectLoggedInTo, stall, status, token } = behaviour;
  if (stall === true) return;
  if (redirectTo !== undefined) return void response.writeHead(302, { location: redirectTo + (request.url ?? "") }).end();
  if (status !== undefined) return void response.writeHead(status).end();
  const isIn = token === undefined || loginOf(request).endsWith(`:${token}`);
  if (!isIn) return void response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
  if (redirectLoggedInTo !== undefined) return void response.writeHead(302, { location: redirectLoggedInTo + (request.url ?? "") }).end();
  const { endless = false } = behaviour;
  if (endless !== false && request.method === "POST")
    return void readCommand(request).then((command) =>
      command.body.includes("command=fetch")
        ? sendEndlessPack(response, endless === "slowly")
        : answerByGit(root, request, response, command.raw),
    );
  answerByGit(root, request, response, request);
}

function answerByGit(root: string, request: IncomingMessage, response: ServerResponse, body: IncomingMessage | Buffer): void {
  const url = new URL(request.url ?? "/", "http://git");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  if (Buffer.isBuffer(body)) child.stdin.end(body);
  else body.pipe(child.stdin);
  relay(child.stdout, response);
}

async function readCommand(request: IncomingMessage): Promise<{ readonly raw: Buffer; readonly body: string }> {
  const raw = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
  return { raw, body: (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString() };
}

/** One line of git's protocol. Source: gitprotocol-common(5), "pkt-line Format". */
function packetLine(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from((content.length + 4).toString(16).padStart(4, "0")), content]);
}

/** A pack of more and larger files than anybody takes, and never all of them. Source: gitformat-pack(5). */
function sendEndlessPack(response: ServerResponse, isSlow: boolean): void {
  response.writeHead(200, { "content-type": "application/x-git-upload-pack-result" });
  response.write(packetLine(Buffer.from("packfile\n")));
  const send = (data: Buffer) => response.write(packetLine(Buffer.concat([Buffer.from([1]), data])));
  send(Buffer.from("5041434b00000002000186a0", "hex"));
  const size = 48 * 1024;
  // type 3, a blob; the size in groups of 4 and 7 bits, the lowest first
  const head = Buffer.from([0x80 | (3 << 4) | (size & 15), 0x80 | ((size >> 4) & 127), size >> 11]);
  const sendFile = () => !response.destroyed && send(Buffer.concat([head, deflateSync(randomBytes(size), { level: 0 })]));
  const more = (): void => {
    if (isSlow) sendFile();
    else while (sendFile());
    if (response.destroyed) return;
    if (isSlow) setTimeout(more, 100);
    else response.once("drain", more);
  };
  more();
}

function loginOf({ headers }: IncomingMessage): string {
  return Buffer.from((headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString();
}

/** What a CGI program says: header lines, an empty one, the body. */
function relay(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head: Buffer | null = Buffer.alloc(0);
  output.on("data", (chunk: Buffer) => {
    if (head === null) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const lines = head
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(/: (.*)/s));
    const status = lines.find(([name]) => name === "Status")?.[1];
    response.writeHead(
      status === undefined ? 200 : Number.parseInt(status, 10),
      Object.fromEntries(lines.filter(([name]) => name !== "Status").map(([name = "", value = ""]) => [name, value])),
    );
    response.write(head.subarray(end + 4));
    head = null;
  });
  output.on("end", () => response.end());
}
