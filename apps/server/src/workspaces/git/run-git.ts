import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import { SandboxError, type InputFile, type SandboxExit, type SandboxLimits, type SandboxRun } from "@syla/sandbox/spec";
import type { Blobs } from "../../platform/blobs.ts";
import { gitRuntime } from "../../platform/git-runtime.ts";
import { ArtifactCollector } from "../../runs/service.ts";
import type { Sandboxes } from "../../sandboxes/service.ts";
import { tooManyChanges } from "./received.ts";
import { branch, type Refs } from "./refs.ts";
import type { PackRow } from "./store.ts";

/** What running git is made of. */
export interface RunGitContext {
  readonly sandboxes: Pick<Sandboxes, "start" | "defaultTier">;
  readonly blobs: Blobs;
}

/** A repository, as git is to find it. */
export interface Repository extends Refs {
  readonly packs: readonly PackRow[];
}

/** What git is to do with a repository. `env` is what `repository.sh` reads. */
export interface GitJob {
  readonly tenant: string;
  readonly repository: Repository;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  readonly files?: readonly InputFile[];
  readonly signal: AbortSignal;
}

const script = readFileSync(join(import.meta.dirname, "repository.sh"));
const mebibyte = 1024 * 1024;
/** The largest pack that somebody may send, and the most that all commits of a workspace may take. */
export const mostPackBytes = 256 * mebibyte;
export const mostRepositoryBytes = 512 * mebibyte;
const workLimits = {
  wallMs: 600_000,
  cpus: 1,
  memoryBytes: 1024 * mebibyte,
  processes: 64,
  openFiles: 1024,
  /** What is there, what was sent, both as one pack, and the files of some commits. */
  diskBytes: 3072 * mebibyte,
  outputBytes: mebibyte,
};
/** What is fetched comes out of standard output, of which a sandbox passes on the first half as it comes. */
const fetchLimits = { ...workLimits, outputBytes: 2048 * mebibyte };
const artifacts = { maxBytes: 1536 * mebibyte, maxFiles: 200 };
const mostErrorBytes = 64 * 1024;

/** Runs git in a sandbox without a network, and yields what it answers a client. Ends the sandbox when nobody reads on. */
export async function* answerByGit(context: RunGitContext, job: GitJob): AsyncGenerator<Buffer> {
  const run = await start(context, job, fetchLimits);
  let isOver = false;
  const errors = new LastBytes();
  try {
    for await (const event of run.events) {
      if (event.type === "output" && event.stream === "stdout") yield event.data;
      else if (event.type === "output") errors.add(event.data);
      else if (event.type === "dropped") throw tooLarge();
      else if (event.type === "exit") {
        isOver = true;
        if (event.exitCode !== 0) throw gitFailure(event, errors.toString());
      }
    }
  } finally {
    if (!isOver) run.cancel(0);
  }
}

/** Runs git in such a sandbox. @returns the files that it has left, by their names @throws AppError `git_…`, `payload_too_large` */
export async function workByGit(context: RunGitContext, job: GitJob): Promise<ReadonlyMap<string, { sha256: string; size: number }>> {
  const run = await start(context, job, workLimits);
  const collector = new ArtifactCollector(context.blobs, artifacts);
  const errors = new LastBytes();
  try {
    for await (const event of run.events) {
      if (event.type === "output" && event.stream === "stderr") errors.add(event.data);
      else if (event.type === "artifact") await collector.begin(event.path);
      else if (event.type === "artifact-data") await collector.data(event.data);
      else if (event.type === "skipped") collector.skip(event.path, event.reason);
      else if (event.type === "exit") {
        await collector.end();
        job.signal.throwIfAborted();
        if (event.exitCode !== 0) throw gitFailure(event, errors.toString());
        if (collector.skippedCount > 0) throw tooLarge();
        return new Map(collector.artifacts.map(({ path, sha256, size }) => [path, { sha256, size }]));
      }
    }
    throw new SandboxError("sandbox_failed", "the sandbox ended without a result");
  } catch (error) {
    await collector.abandon();
    throw error;
  }
}

/** The end of what git has said: what it was given may make it say much. */
class LastBytes {
  #held: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]).subarray(-mostErrorBytes);
  }

  toString(): string {
    return this.#held.toString();
  }
}

async function start({ sandboxes, blobs }: RunGitContext, job: GitJob, limits: SandboxLimits): Promise<SandboxRun> {
  const { tenant, repository, env, stdin = null, files = [], signal } = job;
  signal.throwIfAborted();
  const own: InputFile = { path: "repository.sh", mode: 0o644, content: script };
  const run = await sandboxes.start(sandboxes.defaultTier, {
    tenant,
    runtime: gitRuntime,
    entrypoint: own.path,
    args: [],
    env,
    stdin,
    files: [own, ...repositoryFiles(blobs, repository), ...files],
    limits,
    artifacts,
  });
  const stop = () => run.cancel(0);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return run;
}

/** A bare repository that has nothing in it but commits. */
function* repositoryFiles(blobs: Blobs, { tip, tags, packs }: Repository): Generator<InputFile> {
  const file = (path: string, content: InputFile["content"]): InputFile => ({ path: `repository/${path}`, mode: 0o644, content });
  yield file("HEAD", Buffer.from(`ref: ${branch}\n`));
  yield file("config", Buffer.from("[core]\n\trepositoryformatversion = 0\n\tbare = true\n"));
  const names = tip === null ? [] : [[branch, tip], ...[...tags].map(([name, commit]) => [`refs/tags/${name}`, commit])];
  const sorted = names.map(([name, commit]) => `${commit} ${name}\n`).toSorted((a, b) => (a.slice(41) < b.slice(41) ? -1 : 1));
  yield file("packed-refs", Buffer.from(`# pack-refs with: peeled fully-peeled sorted \n${sorted.join("")}`));
  for (const { sha256, index_sha256: index } of packs) {
    const name = `objects/pack/pack-${sha256.slice(0, 40)}`;
    yield file(`${name}.pack`, readLate(blobs, sha256));
    yield file(`${name}.idx`, readLate(blobs, index));
  }
}

/** Opened when its turn has come. */
async function* readLate(blobs: Blobs, sha256: string): AsyncGenerator<Uint8Array> {
  yield* await blobs.open(sha256);
}

/** A stored file for git. */
export function storedFile(blobs: Blobs, path: string, sha256: string): InputFile {
  return { path, mode: 0o644, content: readLate(blobs, sha256) };
}

function tooLarge(): AppError {
  return new AppError("payload_too_large", {
    message: "The commits are too large.",
    hint: "Leave large files out, or send fewer commits at once.",
  });
}

/** What was wrong, in our words: git's own may hold what it was given. */
function gitFailure({ exitCode, signal, reason, outOfMemory }: SandboxExit, text: string): AppError {
  if (reason === "disk" || outOfMemory || reason === "memory" || /No space left|Out of memory|malloc failed/i.test(text)) return tooLarge();
  if (/syla: too many changes/.test(text)) return tooManyChanges();
  if (reason === "timeout") return new AppError("git_failed", { message: "Git took too long over it." });
  const details = { exitCode, signal };
  if (/syla: not forward/.test(text)) return new AppError("git_rejected", { message: "non-fast-forward" });
  if (/syla: no commit/.test(text)) return new AppError("git_rejected", { message: "main has to be a commit" });
  if (/syla: not whole|did not receive expected object/.test(text)) return new AppError("git_rejected", { message: "objects are missing" });
  const found = /error: object [0-9a-f]{40}: (\w{1,40}):/.exec(text)?.[1];
  if (/syla: damaged/.test(text))
    return new AppError("git_rejected", { message: found === undefined ? "the pack is damaged" : `an object is not allowed: ${found}` });
  return new AppError("git_failed", { details });
}
