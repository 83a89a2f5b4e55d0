import { hash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import type { RerunInput } from "@syla/contracts/run-controls";
import type { ProgramRunInput, RunInput } from "@syla/contracts/runs";
import type { Actor } from "../../access/actor.ts";
import { checkMounts } from "../../datasets/service.ts";
import type { Blobs } from "../../platform/blobs.ts";
import { checkPaths } from "../../platform/paths.ts";
import { withVersion } from "../../runtimes/service.ts";
import type { RunConfig } from "../config.ts";
import type { RunRow } from "../store.ts";
import { checkSubmission, refuseReserved, storeSubmission, type Submission, type SubmissionContext } from "../submission.ts";

const mostFiles = 10_000;
/** Of the files that were sent along, when they are sent again with another version of the program. */
const mostResentBytes = 16 * 1024 * 1024;

/** What takes part in changing the configuration of a run. */
export interface ChangeContext extends SubmissionContext {
  readonly trees: { read(sha256: string): Promise<readonly { readonly path: string }[]> };
  readonly mountDatasets: (
    actor: Actor,
    wishes: RerunInput["datasets"] & object,
    taken: readonly string[],
  ) => Promise<RunConfig["datasets"]>;
}

/** A configuration with its changes, its content stored. */
export interface ChangedConfig {
  readonly config: RunConfig;
  readonly entrypoint: string;
  readonly priority: number;
  readonly given: Submission["given"];
  readonly written: Promise<unknown>;
  readonly synced: () => Promise<void>;
}

/** Whether something was chosen that could read what a program's owner has given to the program alone. */
export function isReaching({ files, removeFiles, entrypoint, env, network, models }: RerunInput): boolean {
  return [files, removeFiles, entrypoint, env, network, models].some((part) => part !== undefined);
}

/** The hash of a request to run again: the same changes of the same run are the same request. */
export function rerunHash(id: string, changes: RerunInput): string {
  return Object.keys(changes).length === 0 ? `rerun ${id}` : `rerun ${id} ${hash("sha256", JSON.stringify(changes))}`;
}

/** Applies changes to what a run was asked to do; models and network are decided before. @throws AppError */
export async function changeConfig(
  context: ChangeContext,
  actor: Actor,
  row: RunRow,
  before: RunConfig,
  changes: RerunInput,
): Promise<ChangedConfig> {
  const entrypoint = changes.entrypoint ?? row.entrypoint;
  if (before.program !== null) refuseReserved(changes.files ?? []);
  const { contents, asked, checked } = await checkChanges(context, actor, row, before, entrypoint, changes);
  const stored = await storeSubmission(context, { ...checked, contents }, asked, null);
  const gone = new Set([...(changes.removeFiles ?? []), ...stored.config.files.map(({ path }) => path)]);
  const files = [...before.files.filter(({ path }) => !gone.has(path)), ...stored.config.files];
  const treeHash = before.workspace?.tree ?? before.program?.tree ?? null;
  const tree = treeHash === null ? [] : (await context.trees.read(treeHash)).map(({ path }) => path);
  const paths = files.map(({ path }) => path);
  checkFiles(paths, tree, entrypoint);
  if (changes.datasets === undefined) checkMounts(before.datasets, [...tree, ...paths]);
  const hasStdin = changes.stdin !== undefined || changes.stdinBase64 !== undefined;
  return {
    entrypoint,
    priority: changes.priority ?? row.priority,
    given: stored.given,
    written: stored.written,
    synced: stored.synced,
    config: {
      ...before,
      files,
      args: changes.args ?? before.args,
      env: changes.env ?? before.env,
      stdin: hasStdin ? stored.config.stdin : before.stdin,
      limits: { ...before.limits, ...changes.limits },
      datasets:
        changes.datasets === undefined ? before.datasets : await context.mountDatasets(actor, changes.datasets, [...tree, ...paths]),
    },
  };
}

function checkFiles(paths: readonly string[], tree: readonly string[], entrypoint: string): void {
  if (paths.length > mostFiles)
    throw new AppError("invalid_request", { fields: [{ path: "files", message: `are more than ${mostFiles} with those of the run` }] });
  checkPaths(paths);
  if (!paths.includes(entrypoint) && !tree.includes(entrypoint))
    throw new AppError("entrypoint_missing", {
      message: `The entrypoint ${JSON.stringify(entrypoint)} is not among the files.`,
      fields: [{ path: "entrypoint", message: "must be one of the files" }],
    });
}

/** What is sent along goes the way of everything that is sent along; the entrypoint stands in for the files that are there already. */
async function checkChanges(context: ChangeContext, actor: Actor, row: RunRow, before: RunConfig, entrypoint: string, changes: RerunInput) {
  const { files = [], args = before.args, env = before.env, stdin, stdinBase64 } = changes;
  const standIn = files.some(({ path }) => path === entrypoint) ? [] : [{ path: entrypoint, content: " " }];
  const asked: RunInput = {
    language: withVersion(row.language, before.version),
    files: [...files, ...standIn],
    entrypoint,
    args,
    env,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdinBase64 === undefined ? {} : { stdinBase64 }),
    limits: {},
    tier: before.tier,
    network: "none",
    models: [],
    priority: row.priority,
    cache: false,
  };
  const checked = await checkSubmission(context, actor.userId, asked);
  return { asked, checked, contents: checked.contents.filter(({ path }) => files.some((file) => file.path === path)) };
}

/** A run of a program as a request for another version of it, with what was chosen for it and the changes. @throws AppError */
export async function asProgramInput(
  blobs: Pick<Blobs, "get">,
  row: RunRow,
  before: RunConfig,
  { version, removeFiles = [], files = [], models, ...changes }: RerunInput,
): Promise<ProgramRunInput> {
  if (before.program === null)
    throw new AppError("invalid_request", { fields: [{ path: "version", message: "is for runs of programs of the catalog" }] });
  const gone = new Set([...removeFiles, ...files.map(({ path }) => path)]);
  const kept = before.files.filter(({ path }) => !gone.has(path));
  const stdin = changes.stdin === undefined && changes.stdinBase64 === undefined ? before.stdin : null;
  if ([...kept, ...(stdin === null ? [] : [stdin])].reduce((sum, { size }) => sum + size, 0) > mostResentBytes)
    throw new AppError("payload_too_large", { hint: "Run the program anew, with the files uploaded." });
  const resent = await Promise.all(
    kept.map(async ({ path, sha256 }) => ({ path, contentBase64: (await blobs.get(sha256)).toString("base64") })),
  );
  const model = models?.[0];
  return {
    programId: before.program.id,
    ...(version == null ? {} : { version }),
    // What was not chosen for the run is as the other version says.
    ...(changes.entrypoint === undefined && before.program.asItIs ? {} : { entrypoint: changes.entrypoint ?? row.entrypoint }),
    args: changes.args ?? before.args,
    env: changes.env ?? before.env,
    ...(stdin === null ? {} : { stdinBase64: (await blobs.get(stdin.sha256)).toString("base64") }),
    ...(changes.stdin === undefined ? {} : { stdin: changes.stdin }),
    ...(changes.stdinBase64 === undefined ? {} : { stdinBase64: changes.stdinBase64 }),
    files: [...resent, ...files],
    limits: { ...before.limits, ...changes.limits },
    tier: before.tier,
    ...(changes.network === undefined ? {} : { network: changes.network }),
    ...(model === undefined ? {} : { modelId: model }),
    datasets: changes.datasets ?? before.datasets.map(({ id, version: at, split, name }) => datasetWish(id, at, split, name)),
    priority: changes.priority ?? row.priority,
  };
}

function datasetWish(id: string, version: string | null, split: string | null, name: string): ProgramRunInput["datasets"][number] {
  return { id, name, ...(version === null ? {} : { version }), ...(split === null ? {} : { split }) };
}
