import { existsSync, openAsBlob } from "node:fs";
import type { FileInput, LimitsInput, RunInputDraft, Syla, Tier } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { collectExtras, collectProgram, type LocalFile, readInput } from "./collect-files.ts";
import { type NetworkFlags, readNetwork } from "./network-flags.ts";
import { mergeMounts, type Mount, readMount } from "./mounts.ts";
import { type QueueFlags, readQueueFlags } from "./queue-flags.ts";
import { parseDuration, parseResources, parseVariables } from "./parse-flags.ts";
import { readPipedStdin, readStdin } from "./read-stdin.ts";

/** The flags of `syla exec` that say what to run. */
export interface ExecFlags extends NetworkFlags, QueueFlags {
  readonly language?: string;
  readonly stdin?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly timeout?: string;
  readonly resource: readonly string[];
  readonly file: readonly string[];
  readonly entrypoint?: string;
  readonly tier?: Tier;
  readonly cache?: boolean;
  readonly cacheFor?: string;
  readonly model: readonly string[];
  readonly workspace?: string;
  readonly mount?: readonly string[];
  readonly mountWrite?: boolean;
}

/** What to send, with large files still on disk. */
export interface PreparedRun {
  readonly input: Omit<RunInputDraft, "files">;
  readonly files: readonly LocalFile[];
  /** Folders whose changes are brought back: they are not among the files. */
  readonly writable: readonly Mount[];
}

/** Above this a file is uploaded by itself, so that it is sent once however often it is run. */
const inlineBytes = 256 * 1024;
/** What one request carries at most; of a larger tree the rest is uploaded too. */
const requestBytes = 24 * 1024 * 1024;

/** Reads flags, files and stdin; nothing is sent yet, so that a mistake costs no connection. */
export async function prepareRun(
  target: string,
  args: readonly string[],
  flags: ExecFlags,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PreparedRun> {
  const network = readNetwork(flags);
  const limits: LimitsInput = {
    ...parseResources(flags.resource),
    ...(flags.timeout !== undefined && { wallMs: parseDuration(flags.timeout) }),
  };
  const mounts = (flags.mount ?? []).map(readMount);
  const writable = flags.mountWrite === true ? mounts : [];
  const besides = flags.mountWrite === true ? [] : mounts;
  const common = {
    args: [...args],
    env: parseVariables(flags.envFile, flags.env, env),
    limits,
    ...readQueueFlags(flags),
    ...(flags.language !== undefined && { language: flags.language }),
    ...(flags.tier !== undefined && { tier: flags.tier }),
    ...(flags.cache === true && { cache: true }),
    ...(flags.cacheFor !== undefined && { cache: { ttlMs: parseDuration(flags.cacheFor) } }),
    ...(network !== undefined && { network }),
    ...(flags.model.length > 0 && { models: [...flags.model] }),
  };
  if (target === "-")
    return {
      input: { ...common, ...(await readCode(flags)), ...encodeStdin(await readStdinFile(flags.stdin)) },
      files: mergeMounts([], besides),
      writable,
    };
  // What is not here is a file of the workspace.
  if (flags.workspace !== undefined && !existsSync(target)) {
    const stdin = flags.stdin === undefined ? await readPipedStdin() : await readStdinFile(flags.stdin);
    return {
      input: { ...common, entrypoint: target, ...encodeStdin(stdin) },
      files: mergeMounts(collectExtras(flags.file), besides),
      writable,
    };
  }
  const { files, entrypoint } = collectProgram(target, flags.file, flags.entrypoint);
  const stdin = flags.stdin === undefined ? await readPipedStdin() : await readStdinFile(flags.stdin);
  return { input: { ...common, entrypoint, ...encodeStdin(stdin) }, files: mergeMounts(files, besides), writable };
}

async function readCode(flags: ExecFlags): Promise<{ code: string; entrypoint?: string }> {
  if (flags.file.length > 0)
    throw usageError("--file cannot be used when the code comes from standard input.", "Name a file or a folder in place of -.");
  if (flags.language === undefined && flags.entrypoint === undefined)
    throw usageError("The language of code from standard input is not known.", "Say it: syla exec --language python -");
  if (flags.stdin === "-")
    throw usageError("Standard input cannot be both the code and the program's input.", "Put one of them into a file.");
  const bytes = await readStdin();
  const code = bytes.toString("utf8");
  if (!Buffer.from(code).equals(bytes))
    throw usageError("The code on standard input is not valid UTF-8.", "Put it into a file: files may hold any bytes.");
  return { code, ...(flags.entrypoint !== undefined && { entrypoint: flags.entrypoint }) };
}

async function readStdinFile(path: string | undefined): Promise<Buffer | null> {
  if (path === undefined) return null;
  return path === "-" ? readStdin() : readInput(path);
}

function encodeStdin(bytes: Buffer | null): Pick<RunInputDraft, "stdin" | "stdinBase64"> {
  if (bytes === null || bytes.length === 0) return {};
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? { stdin: text } : { stdinBase64: bytes.toString("base64") };
}

/** Turns the files into what goes into the request: their text, their bytes, or the hash of an upload. */
export async function sendFiles(syla: Syla, files: readonly LocalFile[], signal: AbortSignal): Promise<FileInput[]> {
  const sent: FileInput[] = [];
  let room = requestBytes;
  for (const file of files) {
    const isInline = file.size <= Math.min(inlineBytes, room);
    if (isInline) room -= file.size;
    sent.push(isInline ? encodeFile(file) : await uploadFile(syla, file, signal));
  }
  return sent;
}

async function uploadFile(syla: Syla, file: LocalFile, signal: AbortSignal): Promise<FileInput> {
  const { sha256 } = await syla.blobs.upload(await openAsBlob(file.path), { signal });
  return { path: file.name, blob: sha256 };
}

function encodeFile(file: LocalFile): FileInput {
  const bytes = readInput(file.path);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes)
    ? { path: file.name, content: text }
    : { path: file.name, contentBase64: bytes.toString("base64") };
}
