import { AppError } from "@syla/contracts/errors";
import type { LimitsInput, RunInput } from "@syla/contracts/runs";
import type { NetworkPolicy } from "@syla/contracts/network";
import type { Workspace } from "@syla/contracts/workspaces";
import type { SandboxEvent } from "@syla/sandbox/spec";
import type { Blobs } from "../platform/blobs.ts";
import { checkPaths } from "../platform/paths.ts";
import type { TreeEntry } from "../platform/trees.ts";
import { ArtifactCollector } from "./artifact-collector.ts";
import { returnLimits, type RunConfig } from "./config.ts";
import { allowsNetwork } from "./network.ts";
import type { RunResult } from "./result.ts";
import { checkSubmission, type CheckedSubmission, type SubmissionContext } from "./submission.ts";

/** A workspace as a run finds it. */
export interface RunPlace {
  readonly workspace: NonNullable<RunConfig["workspace"]>;
  readonly entries: readonly TreeEntry[];
  readonly profile: Workspace["profile"];
  /** Of runs that ask for none, and the most of others. */
  readonly network: NetworkPolicy;
}

/** What a run has left in its workspace. */
export interface ReturnedFiles {
  readonly runId: string;
  readonly ownerId: string;
  /** The key whose quotas it counts against. */
  readonly keyId: string | null;
  readonly workspaceId: string;
  /** The tree that the run began with. */
  readonly tree: string;
  /** Everything that was put into its working folder. */
  readonly putIn: readonly { readonly path: string; readonly sha256: string; readonly mode: number }[];
  readonly changed: readonly TreeEntry[];
  readonly gone: readonly string[];
  /** It came to its end by itself: what was killed may have left halves. */
  readonly isEnded: boolean;
}

/** Lets runs into workspaces when their turn has come, and takes back what they leave there. */
export interface WorkspaceReturns {
  /** @throws AppError `workspace_archived`, `workspace_deleted` */
  requireOpen(workspaceId: string): Promise<void>;
  takeBack(files: ReturnedFiles): Promise<NonNullable<RunResult["workspace"]>>;
}

const shebangBytes = 256;
/** Files and folders that a workspace can lose. */
const mostGone = returnLimits.maxFiles * 2;

/** Checks a request for a run in a workspace; its entrypoint may be one of the workspace's files. @throws AppError */
export async function checkInWorkspace(
  context: SubmissionContext,
  ownerId: string,
  wish: RunInput,
  place: RunPlace,
): Promise<{ readonly input: RunInput; readonly checked: CheckedSubmission }> {
  if (wish.cache !== false) refuse("cache", "is not for runs in a workspace: they depend on its files");
  if (wish.tests !== undefined) refuse("tests", "are not run in a workspace");
  const sent = new Set(wish.files.map(({ path }) => path));
  const entrypoint = wish.code === undefined ? (wish.entrypoint ?? soleFile(place, sent)) : wish.entrypoint;
  const standIn = wish.code === undefined ? await standInFor(context.blobs, place, sent, entrypoint) : [];
  const input = {
    ...wish,
    files: [...wish.files, ...standIn],
    ...(entrypoint === undefined ? {} : { entrypoint }),
    limits: within(place.profile, wish.limits),
  };
  const checked = await checkSubmission(context, ownerId, input);
  const contents = checked.contents.filter(({ path }) => standIn.every((file) => file.path !== path));
  const own = new Set(contents.map(({ path }) => path));
  checkPaths([...place.entries.map(({ path }) => path).filter((path) => !own.has(path)), ...own]);
  return { input, checked: { ...checked, contents } };
}

/** The one file that can be meant when none is named. */
function soleFile({ entries }: RunPlace, sent: ReadonlySet<string>): string | undefined {
  return sent.size === 0 && entries.length === 1 ? entries[0]?.path : undefined;
}

/** Stands in for a file of the workspace while the request is checked, with the line that may tell its language. */
async function standInFor(
  blobs: Pick<Blobs, "open">,
  { entries }: RunPlace,
  sent: ReadonlySet<string>,
  entrypoint: string | undefined,
): Promise<RunInput["files"]> {
  if (entrypoint === undefined) {
    if (sent.size > 0) return [];
    throw new AppError("entrypoint_missing", {
      message: "Nothing says which file of the workspace is to be run.",
      fields: [{ path: "entrypoint", message: "must name one of its files" }],
    });
  }
  const entry = sent.has(entrypoint) ? undefined : entries.find(({ path }) => path === entrypoint);
  if (entry === undefined) return [];
  const head: Buffer[] = [];
  for await (const chunk of await blobs.open(entry.sha256, { start: 0, end: Math.min(shebangBytes, entry.size) }))
    head.push(chunk as Buffer);
  const [line = ""] = Buffer.concat(head).toString("latin1").split("\n");
  return [{ path: entrypoint, content: `${line.replaceAll(/[^\u0020-\u007e]/g, " ")}\n` }];
}

/** @throws AppError `invalid_request` where a run would reach more than its workspace allows */
export function requireAllowed({ network }: RunPlace, wish: NetworkPolicy): void {
  if (allowsNetwork(network, wish)) return;
  throw new AppError("invalid_request", {
    message: "Runs in this workspace may not reach that.",
    hint: "Change the network of the workspace, or ask for less.",
    fields: [{ path: "network", message: "is more than the workspace allows" }],
  });
}

/** The limits of the workspace, and what is asked for within them. @throws AppError `limit_out_of_range` */
export function within(profile: Workspace["profile"], asked: LimitsInput): LimitsInput {
  for (const name of ["cpus", "memoryBytes", "diskBytes"] as const) {
    const wish = asked[name];
    if (wish !== undefined && wish > profile[name])
      throw new AppError("limit_out_of_range", {
        message: `Runs in this workspace get at most ${profile[name]} of ${name}.`,
        fields: [{ path: `limits.${name}`, message: `must be at most ${profile[name]}` }],
      });
  }
  return { ...profile, ...asked };
}

function refuse(path: string, message: string): never {
  throw new AppError("invalid_request", { fields: [{ path, message }] });
}

/** Gathers what a sandbox tells of its workspace. The agent is not believed: paths, sizes and the total are checked here again. */
export class ReturnCollector {
  readonly #files: ArtifactCollector;
  readonly #executable = new Set<string>();
  readonly #gone: string[] = [];
  #isWhole = false;
  #tooMany = false;
  #skipped = 0;

  constructor(blobs: Blobs) {
    this.#files = new ArtifactCollector(blobs, returnLimits);
  }

  get skipped(): number {
    return this.#skipped;
  }

  async begin({ path, executable }: Extract<SandboxEvent, { readonly type: "returned" }>, name: string): Promise<void> {
    if (name !== path) this.#skipped += 1; // its name held a secret: it is known by another one here
    if (executable) this.#executable.add(name);
    await this.#files.begin(name);
  }

  async data(chunk: Buffer): Promise<void> {
    await this.#files.data(chunk);
  }

  gone(paths: readonly string[]): void {
    const room = mostGone - this.#gone.length;
    this.#gone.push(...paths.slice(0, room));
    this.#tooMany ||= paths.length > room;
  }

  left({ whole, skipped }: Extract<SandboxEvent, { readonly type: "left" }>): void {
    this.#isWhole = whole;
    this.#skipped += skipped;
  }

  async abandon(): Promise<void> {
    await this.#files.abandon();
  }

  /** Everything, on the disk; null when something is missing. @throws AppError `storage_full` */
  async end(): Promise<{ readonly changed: TreeEntry[]; readonly gone: readonly string[] } | null> {
    await this.#files.end();
    if (!this.#isWhole || this.#tooMany || this.#files.skippedCount > 0) return null;
    const changed = this.#files.artifacts.map(({ path, size, sha256 }) => ({
      path,
      size,
      sha256,
      mode: this.#executable.has(path) ? (493 as const) : (420 as const),
    }));
    return { changed, gone: this.#gone };
  }
}

/** What is said in a run's log of what became of its files; null when there is nothing to say. */
export function describeReturn({ outcome, version, error }: NonNullable<RunResult["workspace"]>, skipped: number): string | null {
  const links =
    skipped === 0 ? "" : ` ${skipped} ${skipped === 1 ? "entry is" : "entries are"} no files that a workspace holds, and left out.`;
  if (outcome === "kept_beside")
    return `[the files are version ${version} of the workspace, and not in it: ${error?.message ?? ""}${links}]\n`;
  if (outcome === "refused") return `[the files were not taken into the workspace: ${error?.message ?? ""}${links}]\n`;
  return links === "" ? null : `[${links.trim()}]\n`;
}
