import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import type { GitRefs } from "@syla/contracts/imports";
import { SandboxError, type InputFile, type SandboxExit } from "@syla/sandbox/spec";
import type { Actor } from "../../access/actor.ts";
import type { Blobs } from "../../platform/blobs.ts";
import { gitRuntime } from "../../platform/git-runtime.ts";
import { ArtifactCollector } from "../../runs/service.ts";
import type { Sandboxes } from "../../sandboxes/service.ts";
import { checkRef, readGitAddress, splitRefAndPath, type GitAddress } from "./address.ts";

/** What reading repositories is made of. */
export interface GitContext {
  readonly sandboxes: Pick<Sandboxes, "start" | "defaultTier">;
  readonly blobs: Blobs;
}

/** Lets us in, for one call. */
export interface GitLogin {
  readonly username?: string | undefined;
  readonly token?: string | undefined;
}

/** What of a repository is wanted. */
export interface GitWish extends GitLogin {
  readonly url: string;
  readonly ref?: string | undefined;
  readonly path?: string | undefined;
}

/** A commit's files as a tar file that is stored. */
export interface GitFiles {
  readonly url: string;
  readonly ref: string | null;
  readonly path: string | null;
  readonly commit: string;
  readonly tarSha256: string;
}

const script = readFileSync(join(import.meta.dirname, "fetch.sh"));
const loginScript = readFileSync(join(import.meta.dirname, "login.sh"));
const mebibyte = 1024 * 1024;
const limits = {
  wallMs: 120_000,
  cpus: 1,
  memoryBytes: 1024 * mebibyte,
  processes: 64,
  openFiles: 1024,
  diskBytes: 400 * mebibyte,
  outputBytes: 4 * mebibyte,
};
/** The files, and what a tar file has around each. */
const artifacts = { maxBytes: 180 * mebibyte, maxFiles: 2 };
const refName = /^([0-9a-f]{40,64})\trefs\/(heads|tags)\/(.+)$/;
const hash = /^[0-9a-f]{40}$/;

interface Refs {
  readonly head: string | null;
  readonly branches: readonly string[];
  readonly tags: readonly string[];
}

/** Reads git repositories in a sandbox that reaches their server and nothing else. */
export class Git {
  readonly #context: GitContext;

  constructor(context: GitContext) {
    this.#context = context;
  }

  /** @throws AppError `git_…` */
  async refs(actor: Actor, url: string, login: GitLogin, signal: AbortSignal): Promise<GitRefs> {
    const address = readGitAddress(url);
    const { head, branches, tags } = await this.#list(actor, address, login, signal);
    const { ref, path } = chosen(address, { branches, tags });
    return { url: address.url, default: head, branches: [...branches], tags: [...tags], ref, path };
  }

  /** Fetches one commit, without history. @throws AppError `git_…`, `import_too_large` */
  async fetch(actor: Actor, wish: GitWish, signal: AbortSignal): Promise<GitFiles> {
    const address = readGitAddress(wish.url);
    const refs = await this.#list(actor, address, wish, signal);
    const told = chosen(address, refs);
    const ref = wish.ref === undefined ? (told.ref ?? refs.head) : checkRef(wish.ref);
    const path = wish.path === undefined ? told.path : checkFolder(wish.path);
    const name = fullName(ref, refs);
    const env = { MODE: "fetch", URL: address.url, REF: name, FOLDER: path ?? "" };
    const collector = new ArtifactCollector(this.#context.blobs, artifacts);
    await this.#run(actor, address, wish, env, collector, signal);
    const files = collector.artifacts.find((artifact) => artifact.path === "files.tar");
    const commit = collector.artifacts.find((artifact) => artifact.path === "commit");
    if (files === undefined || commit === undefined)
      throw collector.skipped.length > 0 ? new AppError("import_too_large") : new AppError("git_failed");
    const commitText = (await this.#context.blobs.get(commit.sha256)).toString().trim();
    return { url: address.url, ref, path, commit: hash.test(commitText) ? commitText : "", tarSha256: files.sha256 };
  }

  async #list(actor: Actor, address: GitAddress, login: GitLogin, signal: AbortSignal): Promise<Refs> {
    const env = { MODE: "refs", URL: address.url, REF: "", FOLDER: "" };
    const output = await this.#run(actor, address, login, env, new ArtifactCollector(this.#context.blobs, artifacts), signal);
    let head: string | null = null;
    const [branches, tags]: [string[], string[]] = [[], []];
    for (const line of output.split("\n")) {
      head = /^ref: refs\/heads\/(.+)\tHEAD$/.exec(line)?.[1] ?? head;
      const [, , kind, name] = refName.exec(line) ?? [];
      if (name !== undefined && !name.endsWith("^{}")) (kind === "heads" ? branches : tags).push(name);
    }
    return { head, branches, tags };
  }

  /** Runs the script. @returns what it printed */
  async #run(
    actor: Actor,
    { url }: GitAddress,
    login: GitLogin,
    env: Readonly<Record<string, string>>,
    collector: ArtifactCollector,
    signal: AbortSignal,
  ): Promise<string> {
    const { protocol, hostname, port } = new URL(url);
    const host = `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`;
    const spec = {
      tenant: actor.userId,
      runtime: gitRuntime,
      entrypoint: "fetch.sh",
      args: [],
      env: { ...env, ORIGIN: new URL(url).origin },
      stdin: null,
      files: [{ path: "fetch.sh", mode: 0o644, content: script }, ...loginFiles(login)],
      limits,
      artifacts,
      network: { allow: [host] },
    };
    const run = await this.#context.sandboxes.start(this.#context.sandboxes.defaultTier, spec);
    const stop = () => run.cancel(0);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const printed: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    try {
      for await (const event of run.events) {
        if (event.type === "output") printed[event.stream === "stderr" ? "stderr" : "stdout"].push(event.data);
        else if (event.type === "artifact") await collector.begin(event.path);
        else if (event.type === "artifact-data") await collector.data(event.data);
        else if (event.type === "skipped") collector.skip(event.path, event.reason);
        else if (event.type === "exit") {
          await collector.end();
          signal.throwIfAborted();
          const complaint = Buffer.concat(printed.stderr).toString();
          if (event.exitCode !== 0)
            throw gitError(event, complaint, (run.network()?.refused ?? 0) > 0, login.token !== undefined, env["MODE"] === "refs");
          return Buffer.concat(printed.stdout).toString();
        }
      }
      throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
    } catch (error) {
      await collector.abandon();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}

/** In a file that git's helper reads: arguments, variables and settings of a repository could be seen. It is gone with the sandbox. */
function loginFiles({ username = "x-access-token", token }: GitLogin): InputFile[] {
  if (token === undefined) return [];
  if (/[\u0000-\u001f\u007f]/.test(username + token)) throw new AppError("git_denied");
  return [
    { path: "login.sh", mode: 0o644, content: loginScript },
    { path: "login", mode: 0o600, content: Buffer.from(`username=${username}\npassword=${token}\n`) },
  ];
}

function chosen(address: GitAddress, refs: Pick<Refs, "branches" | "tags">): { ref: string | null; path: string | null } {
  if (address.ref !== null) return { ref: checkRef(address.ref), path: null };
  if (address.refAndPath === null) return { ref: null, path: null };
  const { ref, path } = splitRefAndPath(address.refAndPath, new Set([...refs.branches, ...refs.tags]));
  return { ref, path: path === null ? null : checkFolder(path) };
}

/** What git is asked for: of equal names the branch, as git itself does. */
function fullName(ref: string | null, { branches, tags }: Refs): string {
  if (ref === null) throw new AppError("git_ref_unknown", { message: "The repository is empty: it has no branch." });
  if (branches.includes(ref)) return `refs/heads/${ref}`;
  if (tags.includes(ref)) return `refs/tags/${ref}`;
  if (hash.test(ref)) return ref;
  const isShort = /^[0-9a-f]{7,39}$/.test(ref);
  throw new AppError("git_ref_unknown", {
    message: isShort
      ? "A commit has to be named by all 40 digits of its hash."
      : `The repository has no branch or tag ${JSON.stringify(ref)}.`,
    details: { branches: branches.slice(0, 50), tags: tags.slice(-50) },
  });
}

/** @throws AppError `git_ref_unknown` */
function checkFolder(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || parts[0]?.startsWith("-") === true || /[\u0000-\u001f]/.test(path))
    throw new AppError("git_ref_unknown", { message: `${JSON.stringify(path)} is no folder of a repository.` });
  return parts.join("/");
}

/** What went wrong, from what git said. Never its own words: they may hold addresses and more. */
function gitError(exit: SandboxExit, text: string, isRefused: boolean, hasToken: boolean, isListing: boolean): AppError {
  const details = { exitCode: exit.exitCode, signal: exit.signal };
  if (isRefused)
    return new AppError("git_unreachable", { message: "The git server cannot be reached from here, or sends elsewhere.", details });
  if (/no such folder/.test(text))
    return new AppError("git_ref_unknown", { message: "There is no such folder in the repository.", details });
  if (/could not read Username|Authentication failed|error: 401|returned error: 403/i.test(text))
    return new AppError(hasToken || /403/.test(text) ? "git_denied" : "git_not_found", { details });
  if (/not found|does not appear to be a git repository|error: 404|not valid: is this a git repository/i.test(text))
    return new AppError("git_not_found", { details });
  if (/couldn't find remote ref|not our ref|unadvertised object/i.test(text)) return new AppError("git_ref_unknown", { details });
  if (/CONNECT tunnel|Could not resolve|Failed to connect|proxy|SSL|timed out|redirect|error: 5\d\d|Connection/i.test(text))
    return new AppError("git_unreachable", { details });
  if (/No space left|disk quota/i.test(text)) return new AppError("import_too_large", { message: "The repository is too large.", details });
  if (exit.exitCode === null && !isListing)
    return new AppError("import_too_large", { message: "The repository is too large, or its server too slow.", details });
  return new AppError(exit.exitCode === null ? "git_unreachable" : "git_failed", { details });
}
