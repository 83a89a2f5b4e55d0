import { hash } from "node:crypto";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import type { FileInput, LeastTier, RunInput, RunKind } from "@syla/contracts/runs";
import type { CacheKey } from "../cache/service.ts";
import type { BlobRef, Blobs, PendingBlob } from "../platform/blobs.ts";
import type { Queries } from "../platform/database.ts";
import { splitVersion, type InstalledRuntime, type Runtimes } from "../runtimes/service.ts";
import { chooseTier, type Sandboxes } from "../sandboxes/service.ts";
import { runConfigs, type RunConfig } from "./config.ts";
import { checkTests } from "./judging/check-tests.ts";
import { checkPaths } from "../platform/paths.ts";
import { findUploads } from "./store.ts";

const defaultMode = 0o644;
const shebangBytes = 256;

/** A request that has been checked: what to run, with its content stored. */
export interface Submission {
  readonly kind: RunKind;
  /** The program of the catalog, with its tree. */
  readonly program: RunConfig["program"];
  /** Its environment is on the disk, if it has one: it starts at once. */
  readonly isReady: boolean;
  readonly runtime: InstalledRuntime;
  readonly entrypoint: string;
  readonly config: RunConfig;
  readonly priority: number;
  /** What of its content was sent with it, and counts against its owner's storage. What was uploaded before does so already. */
  readonly given: readonly BlobRef[];
  /** Not before then; null: at once. */
  readonly startAt: Date | null;
  /** Two requests with the same hash ask for the same thing. */
  readonly requestHash: string;
  /** Resolves when the content is stored; this process can read it before. @throws AppError `storage_full` */
  readonly written: Promise<unknown>;
  /** The same, and no power cut can take it. */
  readonly synced: () => Promise<void>;
}

/** What checking needs. */
export interface SubmissionContext {
  readonly queries: Queries;
  readonly blobs: Blobs;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
}

type Content =
  | { readonly path: string; readonly bytes: Buffer }
  | { readonly path: string; readonly sha256: string; readonly size: number };

/** A request that may be run, with nothing of it stored yet. */
export interface CheckedSubmission {
  readonly runtime: InstalledRuntime;
  readonly entrypoint: string;
  readonly contents: readonly Content[];
  readonly tier: RunConfig["tier"];
  /** What the checkers of its test cases run on. */
  readonly checkers: readonly (string | null)[];
}

/**
 * Checks a request. `known`: the sizes of content that the owner may use besides their uploads, by hash. `ofProgram`: the tier that the program asks for at
 * least.
 *
 * @throws AppError
 */
export async function checkSubmission(
  context: SubmissionContext,
  ownerId: string,
  input: RunInput,
  known: ReadonlyMap<string, number> = new Map(),
  ofProgram?: LeastTier,
): Promise<CheckedSubmission> {
  checkText(input);
  checkStart(input);
  if (input.stdin !== undefined && input.stdinBase64 !== undefined) {
    throw new AppError("invalid_request", {
      message: "Give `stdin` or `stdinBase64`, not both.",
      fields: [{ path: "stdinBase64", message: "conflicts with stdin" }],
    });
  }
  const asked = input.language === undefined ? undefined : context.runtimes.get(input.language);
  const sent = input.files.filter((file) => !("blob" in file && known.has(file.blob)));
  const uploads = new Map([...known, ...(await readUploads(context.queries, ownerId, sent))]);
  const { entrypoint, contents } = gather(input, asked, uploads);
  checkPaths(contents.map((content) => content.path));
  const runtime = asked ?? detectLanguage(context.runtimes, entrypoint, contents);
  requireAvailable(runtime);
  const tier = await chooseTier(context, { ownerId, asked: input.tier, ofProgram });
  let checkers: readonly (string | null)[] = [];
  if (input.tests !== undefined) {
    requireNoNetwork(input.network);
    const paths = contents.map((content) => content.path);
    checkers = checkTests(input.tests, runtime, context.runtimes, paths);
  }
  return { runtime, entrypoint, contents, tier, checkers };
}

/** Of a run with test cases. @throws AppError `invalid_request` */
export function requireNoNetwork(network: RunConfig["network"]): void {
  if (network === "none") return;
  throw new AppError("invalid_request", {
    message: "Test cases run without a network.",
    fields: [{ path: "network", message: "must be none with test cases" }],
  });
}

/** A run of a program finds its packages there. @throws AppError `invalid_path` */
export function refuseReserved(files: readonly { readonly path: string }[]): void {
  const place = files.findIndex(({ path }) => path === "node_modules" || path.startsWith("node_modules/"));
  if (place >= 0)
    throw new AppError("invalid_path", { fields: [{ path: `files.${place}.path`, message: "is where the program's packages are" }] });
}

/** Stores the content of a checked request. `cacheKey`: where its result is to be kept. @throws AppError `storage_full` */
export async function storeSubmission(
  context: Pick<SubmissionContext, "blobs">,
  { runtime, entrypoint, contents, tier }: CheckedSubmission,
  input: RunInput,
  cacheKey: CacheKey | null,
  kind: RunKind = "execution",
): Promise<Submission> {
  const cache = cacheKey === null ? null : { key: cacheKey.key, ttlMs: cacheKey.ttlMs };
  const stored: PendingBlob[] = [];
  const store = async (bytes: Uint8Array): Promise<BlobRef> => {
    const blob = await context.blobs.writeSoon(bytes);
    stored.push(blob);
    return { sha256: blob.sha256, size: blob.size };
  };
  const keep = async (ref: BlobRef): Promise<BlobRef> => {
    await context.blobs.keep([ref.sha256]);
    return ref;
  };
  const files = await Promise.all(contents.map((content) => storeFile(store, keep, content)));
  const stdin = await storeStdin(store, input);
  const tests = input.tests === undefined ? null : await store(Buffer.from(JSON.stringify(input.tests)));
  const version = input.language === undefined ? null : splitVersion(input.language).version;
  const config = runConfigs.trust({
    files,
    version,
    args: input.args,
    env: input.env,
    stdin,
    limits: input.limits,
    tier,
    network: input.network,
    models: input.models,
    datasets: [],
    tests,
    program: null,
    composition: null,
    workspace: null,
    cache,
    trace: null,
  });
  const requestHash = hash(
    "sha256",
    JSON.stringify([runtime.definition.name, entrypoint, config, input.priority, ...(input.startAt === undefined ? [] : [input.startAt])]),
  );
  const written = Promise.all(stored.map((blob) => blob.written));
  written.catch(() => {}); // whoever waits for it sees the error
  const synced = async () => void (await Promise.all(stored.map((blob) => blob.sync())));
  return {
    kind,
    program: null,
    isReady: true,
    runtime,
    entrypoint,
    config,
    priority: input.priority,
    given: stored.map(({ sha256, size }) => ({ sha256, size })),
    startAt: input.startAt === undefined ? null : new Date(input.startAt),
    requestHash,
    written,
    synced,
  };
}

const longestDelayMs = 366 * 86_400_000;

/** Refuses a start that is too far away to be meant. */
function checkStart({ startAt }: RunInput): void {
  if (startAt === undefined || Date.parse(startAt) <= Date.now() + longestDelayMs) return;
  throw new AppError("invalid_request", {
    message: "A run begins within a year.",
    fields: [{ path: "startAt", message: "is more than a year away" }],
  });
}

/** What the kernel takes for one argument or variable, and what it surely takes for all of them. */
const maxWordBytes = 131_071;
const maxWordsBytes = 1024 * 1024;

/** Refuses text that is not Unicode, which JSON can carry but no file, and words that no program can be started with. */
function checkText(input: RunInput): void {
  const words = [
    ...input.args.map((text, index) => ({ path: `args.${index}`, text })),
    ...Object.entries(input.env).map(([name, value]) => ({ path: `env.${name}`, text: `${name}=${value}` })),
  ];
  const contents = input.files.flatMap((file, index) =>
    "content" in file ? [{ path: `files.${index}.content`, text: file.content }] : [],
  );
  const texts = [...words, ...contents, { path: "code", text: input.code }, { path: "stdin", text: input.stdin }];
  const fields: FieldProblem[] = texts
    .filter(({ text }) => text?.isWellFormed() === false)
    .map(({ path }) => ({ path, message: "is not valid Unicode: send such bytes in base64" }));
  const sizes = words.map(({ text }) => Buffer.byteLength(text));
  sizes.forEach((size, index) => {
    if (size > maxWordBytes) fields.push({ path: words[index]?.path ?? "args", message: `is longer than ${maxWordBytes} bytes` });
  });
  if (sizes.reduce((sum, size) => sum + size, 0) > maxWordsBytes)
    fields.push({ path: "args", message: `are, with env, longer than ${maxWordsBytes} bytes` });
  if (fields.length > 0)
    throw new AppError("invalid_request", { message: `The request is not valid. \`${fields[0]?.path}\` ${fields[0]?.message}.`, fields });
}

/** The files of the request, `code` among them as the entrypoint. */
function gather(
  input: RunInput,
  runtime: InstalledRuntime | undefined,
  uploads: Map<string, number>,
): { entrypoint: string; contents: Content[] } {
  const contents = input.files.map((file, index) => toContent(file, index, uploads));
  const { code } = input;
  if (code !== undefined) {
    if (code.trim() === "") throw new AppError("empty_code");
    const entrypoint = input.entrypoint ?? entrypointFor(runtime, input.language);
    return { entrypoint, contents: [...contents, { path: entrypoint, bytes: Buffer.from(code) }] };
  }
  if (contents.length === 0) throw new AppError("empty_code");
  const entrypoint = input.entrypoint ?? (contents.length === 1 ? contents[0]?.path : runtime?.definition.entrypoint);
  if (entrypoint === undefined || !contents.some((content) => content.path === entrypoint)) {
    const paths = contents.map((content) => content.path).slice(0, 10);
    throw new AppError("entrypoint_missing", {
      message:
        entrypoint === undefined
          ? "There are several files and no entrypoint."
          : `The entrypoint ${JSON.stringify(entrypoint)} is not among the files.`,
      details: { files: paths },
      fields: [{ path: "entrypoint", message: "must be one of the files" }],
    });
  }
  return { entrypoint, contents };
}

function entrypointFor(runtime: InstalledRuntime | undefined, language: string | undefined): string {
  if (runtime === undefined || language === undefined) {
    throw new AppError("invalid_request", {
      message: "Name the language of the code.",
      fields: [{ path: "language", message: "is needed with `code` unless `entrypoint` tells it" }],
    });
  }
  return runtime.definition.entrypoints[splitVersion(language).name.toLowerCase()] ?? runtime.definition.entrypoint;
}

function toContent(file: FileInput, index: number, uploads: Map<string, number>): Content {
  if ("content" in file) return { path: file.path, bytes: Buffer.from(file.content) };
  if ("contentBase64" in file) return { path: file.path, bytes: Buffer.from(file.contentBase64, "base64") };
  const size = uploads.get(file.blob);
  if (size === undefined) throw new AppError("blob_unknown", { fields: [{ path: `files.${index}.blob`, message: "not uploaded by you" }] });
  return { path: file.path, sha256: file.blob, size };
}

/** The sizes of uploads of theirs that files refer to, by SHA-256. */
export async function readUploads(queries: Queries, ownerId: string, files: readonly FileInput[]): Promise<Map<string, number>> {
  const hashes = files.flatMap((file) => ("blob" in file ? [file.blob] : []));
  return hashes.length === 0 ? new Map() : await findUploads(queries, ownerId, hashes);
}

function detectLanguage(runtimes: Runtimes, entrypoint: string, contents: readonly Content[]): InstalledRuntime {
  const content = contents.find((candidate) => candidate.path === entrypoint);
  const firstLine =
    content !== undefined && "bytes" in content ? (content.bytes.subarray(0, shebangBytes).toString("latin1").split("\n")[0] ?? "") : "";
  const runtime = runtimes.detect(entrypoint, firstLine);
  if (runtime !== undefined) return runtime;
  const known = runtimes.list().map((entry) => entry.name);
  throw new AppError("unknown_language", {
    message: `The language of ${JSON.stringify(entrypoint)} cannot be told from its name or its first line. Known: ${known.join(", ")}.`,
    hint: "Name it with `language`.",
    details: { known },
    fields: [{ path: "language", message: "cannot be guessed" }],
  });
}

function requireAvailable({ spec, definition }: InstalledRuntime): void {
  if (spec !== null) return;
  throw new AppError("runtime_unavailable", {
    message: `${definition.title} is not installed on this server.`,
    hint: `An administrator can install it: ${definition.install}`,
  });
}

type Keep = (ref: BlobRef) => Promise<BlobRef>;
type Store = (bytes: Uint8Array) => Promise<BlobRef>;

async function storeFile(store: Store, keep: Keep, content: Content): Promise<RunConfig["files"][number]> {
  const { sha256, size } = "bytes" in content ? await store(content.bytes) : await keep(content);
  return { path: content.path, size, sha256, mode: defaultMode };
}

async function storeStdin(store: Store, input: RunInput): Promise<RunConfig["stdin"]> {
  const bytes = input.stdinBase64 === undefined ? Buffer.from(input.stdin ?? "") : Buffer.from(input.stdinBase64, "base64");
  return bytes.length === 0 ? null : await store(bytes);
}
