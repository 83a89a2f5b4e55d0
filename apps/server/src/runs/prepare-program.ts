import type { RunError } from "@syla/contracts/runs";
import { SandboxError, type InputLink, type RuntimeSpec, type SandboxLimits } from "@syla/sandbox/spec";
import { EnvironmentFailedError, type Environments, type ReadyEnvironment } from "../environments/service.ts";
import type { WorkspaceReturns } from "./in-workspace.ts";
import type { Secret } from "../platform/secret.ts";
import type { TreeFolders } from "../platform/tree-folders.ts";
import type { Trees } from "../platform/trees.ts";
import type { Attempt } from "./execution.ts";
import type { Compilation, Compilations } from "./compilations/service.ts";
import { defaultLimits, type RunConfig } from "./config.ts";
import { resolveCommand } from "./program-command.ts";
import { noPlace } from "./verdict.ts";

/** What programs are made ready with. */
export interface Preparation {
  readonly compilations: Compilations;
  readonly environments: Pick<Environments, "prepare">;
  readonly trees: Pick<Trees, "read">;
  readonly treeFolders: Pick<TreeFolders, "hold">;
  readonly workspaces: WorkspaceReturns;
  /** Opens the secrets of a program. @throws AppError */
  readonly openSecrets: (
    ownerId: string,
    secrets: NonNullable<RunConfig["program"]>["secrets"],
  ) => Promise<readonly { readonly variable: string; readonly value: Secret }[]>;
}

/** A program that can be put into a sandbox: its environment built and its source compiled, where it wants that. */
export interface PreparedProgram {
  /** Why it cannot be run; null when it can. */
  readonly error: RunError | null;
  readonly compilation: Compilation | null;
  /** What it waited for its environment; null when it has none. */
  readonly environmentMs: number | null;
  /** Its own files, and what was compiled. */
  readonly files: RunConfig["files"];
  /** The tree that most of them are of, if there is one; and the others, which take the place of its own. */
  readonly tree: { readonly sha256: string; readonly line: string } | null;
  readonly besides: RunConfig["files"];
  /** Names of the layers that it is run with. */
  readonly layers: readonly string[];
  /** Ways to what is not among its files. */
  readonly links: readonly InputLink[];
  /** Variables besides the run's own. */
  readonly env: Readonly<Record<string, string>>;
  /** The runtime with the command for a run under these limits. */
  readonly runtime: (limits: SandboxLimits) => RuntimeSpec;
  /** Lets go of its environment, when the run is over. */
  readonly release: () => void;
}

/**
 * Makes of the source what is to be run. What the compiler says belongs to the run's log.
 *
 * @throws SandboxError, AppError `storage_full`, the signal's reason
 */
export async function prepareProgram(attempt: Attempt, preparation: Preparation, signal: AbortSignal): Promise<PreparedProgram> {
  const began = performance.now();
  const source = await sourceOf(attempt.config, preparation.trees);
  let environment: ReadyEnvironment | null = null;
  try {
    environment = await prepareEnvironment(attempt, preparation, signal);
    const environmentMs = environment === null ? null : Math.round((performance.now() - began) * 100) / 100;
    return await compileProgram({ attempt, preparation, signal, source, environment, environmentMs });
  } catch (error) {
    environment?.release();
    if (!(error instanceof EnvironmentFailedError)) throw error;
    const { explanation, phase: _phase, ...failure } = error.failure;
    if (explanation !== null) attempt.live.output("stderr", Buffer.from(`${explanation}\n`));
    const environmentMs = Math.round((performance.now() - began) * 100) / 100;
    return { ...refused, error: { ...noPlace, ...failure }, environmentMs, ...source, runtime: () => requireSpec(attempt) };
  }
}

const refused = { compilation: null, layers: [], links: [], env: {}, release: () => {} };

type Source = Pick<PreparedProgram, "files" | "tree" | "besides">;

/** What is in the tree that is run, and what was sent along in place of it. */
async function sourceOf({ files, program, workspace }: RunConfig, trees: Pick<Trees, "read">): Promise<Source> {
  const sha256 = workspace?.tree ?? program?.tree ?? null;
  if (sha256 === null) return { files, tree: null, besides: files };
  const own = new Set(files.map(({ path }) => path));
  const all = [...(await trees.read(sha256)).filter(({ path }) => !own.has(path)), ...files];
  return { files: all, tree: { sha256, line: workspace?.id ?? program?.id ?? sha256 }, besides: files };
}

async function prepareEnvironment(
  { ownerId: personId, config, live, number, onPhase }: Attempt,
  { environments }: Preparation,
  signal: AbortSignal,
): Promise<ReadyEnvironment | null> {
  const id = (config.program ?? config.composition)?.environmentId ?? null;
  if (id === null) return null;
  let isTold = false;
  const tell = () => {
    if (isTold) return;
    isTold = true;
    onPhase("building_environment");
    live.status("starting", "building_environment", number);
  };
  return await environments.prepare(id, { personId, signal, onPhase: tell });
}

interface Parts {
  readonly attempt: Attempt;
  readonly preparation: Preparation;
  readonly signal: AbortSignal;
  readonly source: Source;
  readonly environment: ReadyEnvironment | null;
  readonly environmentMs: number | null;
}

async function compileProgram({ attempt, preparation, signal, source, environment, environmentMs }: Parts): Promise<PreparedProgram> {
  const { runtime, ownerId, entrypoint, config, live, number, onPhase } = attempt;
  const spec = requireSpec(attempt);
  const onStart = () => {
    onPhase("compiling");
    live.status("starting", "compiling", number);
  };
  const { files } = source;
  const request = { ownerId, runtime, entrypoint, files, tier: config.tier, layer: environment };
  const compilation = await preparation.compilations.compile(request, signal, onStart);
  if (compilation !== null) {
    if (compilation.messages !== "") live.output("stderr", Buffer.from(compilation.messages));
    live.forgetStderr();
  }
  const compiled = compilation?.files ?? [];
  const paths = compiled.map(({ path }) => path);
  const adapt = environment?.adapt ?? ((plain: RuntimeSpec) => plain);
  return {
    error: compilation?.error ?? null,
    compilation,
    environmentMs,
    files: [...files, ...compiled],
    tree: source.tree,
    besides: [...source.besides, ...compiled],
    layers: environment === null ? [] : [environment.layer],
    links: environment?.links ?? [],
    env: environment?.env ?? {},
    runtime: (limits) => adapt(resolveCommand(compilation?.spec ?? spec, entrypoint, paths, limits)),
    release: environment?.release ?? (() => {}),
  };
}

/** @throws SandboxError when the runtime is not installed */
function requireSpec({ runtime }: Attempt): RuntimeSpec {
  if (runtime.spec === null) throw new SandboxError("tier_unavailable", `the runtime ${runtime.definition.name} is not installed`);
  return runtime.spec;
}

/** The limits of a run: what it asked for, and the defaults. */
export function limitsOf(wished: RunConfig["limits"]): SandboxLimits {
  const given = Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined));
  return { ...defaultLimits, ...given };
}
