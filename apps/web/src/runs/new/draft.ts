import type { LimitsInput, RerunInputDraft, Run, RunInputDraft, RunOptions, Runtime } from "@syla/sdk";
import { syla } from "../../app/api.ts";
import { findRuntime } from "../runtime-choice.ts";
import { type DraftNetwork, networkFields, networkInput, networkProblem, noNetwork } from "./draft-network.ts";
import { type LimitName, limitFields } from "../limits.ts";

/** A file that was uploaded and will go with the run. */
export interface DraftFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** What is being written: everything as it stands in the fields, good or not. */
export interface Draft extends DraftNetwork {
  readonly language: string;
  readonly code: string;
  readonly entrypoint: string;
  readonly stdin: string;
  /** One argument a line. */
  readonly args: string;
  /** `NAME=value`, one a line. */
  readonly env: string;
  readonly limits: Readonly<Partial<Record<LimitName, string>>>;
  readonly files: readonly DraftFile[];
  /** It does the same every time: an earlier result may answer. */
  readonly reuse: boolean;
  /** Id of the model that it may call; empty for none. */
  readonly model: string;
  /** How it is isolated; empty for what the server takes. One that repeats another keeps that one's. */
  readonly tier: RunOptions["defaultTier"] | "";
  /** The run that this one repeats; null for a new one. */
  readonly replay: Replay | null;
}

/** What a draft that repeats a run has besides. */
export interface Replay {
  readonly runId: string;
  /** Of a program of the catalog: its files stay the program's. */
  readonly program: string | null;
  /** The draft as it was taken over: what differs from it is what has been changed. */
  readonly base: Omit<Draft, "replay">;
  /** Files besides the entrypoint whose text has been changed. */
  readonly edited: Readonly<Record<string, string>>;
  /** The file in the editor; the entrypoint when it is none of the others. */
  readonly open: string;
}

/** What a draft has besides its program, before anybody has chosen anything. */
export const nothingChosen: Omit<Draft, "language" | "code"> = {
  entrypoint: "",
  stdin: "",
  args: "",
  env: "",
  limits: {},
  files: [],
  reuse: false,
  model: "",
  tier: "",
  replay: null,
  ...noNetwork,
};

/** An empty page in a language. */
export function newDraft(runtime: Runtime): Draft {
  return { language: runtime.name, code: runtime.example, ...nothingChosen };
}

/** Another language: the example follows along as long as it has not been changed. */
export function changeLanguage(draft: Draft, runtimes: readonly Runtime[], name: string): Draft {
  const before = findRuntime(runtimes, draft.language);
  const after = findRuntime(runtimes, name);
  if (!after) return draft;
  const untouched = draft.code.trim() === "" || draft.code === before?.example;
  return {
    ...draft,
    replay: null,
    language: name,
    code: untouched ? after.example : draft.code,
    entrypoint: untouched ? "" : draft.entrypoint,
  };
}

/** What is wrong with the fields, in words; empty when the draft can be sent. */
export function draftProblems(draft: Draft): Readonly<Record<string, string>> {
  const problems: Record<string, string> = {};
  for (const [index, line] of envLines(draft.env).entries()) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(line)) problems["env"] ??= `Line ${index + 1} is not of the form NAME=value: ${line.slice(0, 40)}`;
  }
  for (const { name, label } of limitFields) {
    const text = draft.limits[name]?.trim() ?? "";
    if (text !== "" && !(Number(text) > 0)) problems[name] = `${label} must be a number above 0.`;
  }
  const network = networkProblem(draft);
  if (network !== null) problems["network"] = network;
  return problems;
}

/** What is sent to the server. */
export function draftInput(draft: Draft): RunInputDraft {
  const env = Object.fromEntries(envLines(draft.env).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  return {
    language: draft.language,
    code: draft.code,
    files: draft.files.map(({ path, sha256 }) => ({ path, blob: sha256 })),
    args: draft.args === "" ? [] : draft.args.replace(/\n$/, "").split("\n"),
    env,
    limits: draftLimits(draft),
    ...(draft.reuse ? { cache: true } : {}),
    ...(draft.model === "" ? {} : { models: [draft.model] }),
    ...(draft.tier === "" ? {} : { tier: draft.tier }),
    ...(draft.network === "none" || draft.network === "gateway" ? {} : { network: networkInput(draft) }),
    ...(draft.entrypoint.trim() === "" ? {} : { entrypoint: draft.entrypoint.trim() }),
    ...(draft.stdin === "" ? {} : { stdin: draft.stdin }),
  };
}

function envLines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

function draftLimits(draft: Draft): LimitsInput {
  const limits: LimitsInput = {};
  for (const { name, factor } of limitFields) {
    const text = draft.limits[name]?.trim() ?? "";
    if (text !== "") limits[name] = factor === 1 ? Number(text) : Math.round(Number(text) * factor);
  }
  return limits;
}

/** The draft that repeats a run: its entrypoint goes into the editor, its other files along. `open`: the file to begin with. */
export async function draftFromRun(id: string, open: string, signal: AbortSignal): Promise<Draft> {
  const run = await syla.runs.get(id, { signal });
  const others = run.files.filter((file) => file.path !== run.entrypoint);
  const [code, stdin, files] = await Promise.all([
    syla.runs.file(id, run.entrypoint, { signal }).then((answer) => answer.text()),
    run.stdinBytes > 0 ? syla.runs.stdin(id, { signal }).then((answer) => answer.text()) : "",
    Promise.all(others.map((file) => adoptFile(id, file.path, signal))),
  ]);
  const base: Replay["base"] = {
    language: run.requestedVersion === null ? run.language : `${run.language}@${run.requestedVersion}`,
    code,
    entrypoint: run.entrypoint,
    stdin,
    args: run.args.join("\n"),
    env: envText(run),
    limits: limitTexts(run),
    files,
    reuse: false,
    model: run.models[0] ?? "",
    tier: run.tier,
    ...networkFields(run.network === "gateway" ? "none" : run.network),
  };
  const replay = { runId: id, program: run.program?.name ?? null, base, edited: {}, open: open === "" ? run.entrypoint : open };
  return { ...base, replay };
}

/** The file in the editor, when it is another than the one that is run. */
export function openFile({ replay }: Draft): string | null {
  return replay === null || replay.open === replay.base.entrypoint ? null : replay.open;
}

/** The draft with this file in the editor; only of a repeated run there are others than the one that is run. */
export function showFile(draft: Draft, path: string): Draft {
  return draft.replay === null ? draft : { ...draft, replay: { ...draft.replay, open: path } };
}

/** How a draft is started. */
export type Start = { readonly input: RunInputDraft } | { readonly repeats: string; readonly changes: RerunInputDraft };

export function startOf(draft: Draft): Start {
  const changes = replayInput(draft);
  return changes === null || draft.replay === null ? { input: draftInput(draft) } : { repeats: draft.replay.runId, changes };
}

/** What of a repeated run has been changed; null when it has to be a run of its own. */
function replayInput(draft: Draft): RerunInputDraft | null {
  const { replay } = draft;
  if (replay === null) return null;
  const { base, edited } = replay;
  const input = draftInput(draft);
  const differs = (...fields: readonly (keyof typeof base)[]) =>
    fields.some((field) => JSON.stringify(draft[field]) !== JSON.stringify(base[field]));
  const entrypoint = draft.entrypoint.trim() === "" ? base.entrypoint : draft.entrypoint.trim();
  const known = new Map(base.files.map(({ path, sha256 }) => [path, sha256]));
  const added = draft.files.filter(({ path, sha256 }) => known.get(path) !== sha256);
  const files = [
    ...added.filter(({ path }) => !(path in edited)).map(({ path, sha256 }) => ({ path, blob: sha256 })),
    ...(differs("code", "entrypoint") ? [{ path: entrypoint, content: draft.code }] : []),
    ...Object.entries(edited).map(([path, content]) => ({ path, content })),
  ];
  const gone = base.files.map(({ path }) => path).filter((path) => !draft.files.some((file) => file.path === path));
  return {
    ...(files.length > 0 && { files }),
    ...(gone.length > 0 && { removeFiles: gone }),
    ...(differs("entrypoint") && { entrypoint }),
    ...(differs("args") && { args: input.args ?? [] }),
    ...(differs("env") && { env: input.env ?? {} }),
    ...(differs("stdin") && { stdin: draft.stdin }),
    ...(differs("limits") && { limits: input.limits ?? {} }),
    ...(differs("model") && { models: draft.model === "" ? [] : [draft.model] }),
    ...(differs("network", "hosts") && { network: networkInput(draft) }),
  };
}

/** A run may only refer to what its owner has uploaded, so the files of another's run are uploaded as ours. Equal content is stored once. */
async function adoptFile(id: string, path: string, signal: AbortSignal): Promise<DraftFile> {
  const content = await (await syla.runs.file(id, path, { signal })).blob();
  return { path, ...(await syla.blobs.upload(content, { signal })) };
}

function envText(run: Run): string {
  return Object.entries(run.env)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

function limitTexts(run: Run): Draft["limits"] {
  const texts: Partial<Record<LimitName, string>> = {};
  for (const { name, factor } of limitFields) {
    const value = run.requestedLimits[name];
    if (value !== undefined) texts[name] = String(value / factor);
  }
  return texts;
}
