import { hash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import { covers } from "../access/service.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import { datasetVariables, type Datasets, type MountedDataset } from "../datasets/service.ts";
import { EnvironmentFailedError, type Environments, type ProgramRef, type ReadyEnvironment } from "../environments/service.ts";
import type { Models } from "../models/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Trees } from "../platform/trees.ts";
import { inputEntries, requireNetwork } from "../runs/service.ts";
import { withVersion, type Runtimes } from "../runtimes/service.ts";
import type { ProgramFacts, ProgramForUse, ProgramParts, UseWish } from "../sandboxes/program.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { freelyGiven, secretsFor } from "./secrets.ts";
import { limitsOf } from "./service.ts";

/** What programs for sandboxes are made of. */
export interface SandboxProgramsContext {
  readonly catalog: Pick<Catalog, "resolve" | "thing">;
  readonly trees: Trees;
  readonly blobs: Blobs;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly environments: Pick<Environments, "ofProgram" | "forProgram" | "prepare">;
  readonly models: Pick<Models, "forRun">;
  readonly datasets: Pick<Datasets, "forRun">;
}

type Program = ResolvedAsset<"program">;
type Secrets = Awaited<ReturnType<typeof secretsFor>>["given"];

interface Preparation {
  readonly signal: AbortSignal;
  readonly onWait?: () => void;
  readonly mounts?: readonly MountedDataset[];
}

/** Whoever creates a sandbox waits for its packages no longer than this; the build goes on if somebody else does. */
const longestBuildMs = 600_000;

/** Programs of the catalog as sandboxes that stay have them. */
export class SandboxPrograms {
  readonly #context: SandboxProgramsContext;

  constructor(context: SandboxProgramsContext) {
    this.#context = context;
  }

  /**
   * Files and packages, built if need be, for a sandbox of any network that can be shared with anybody: the program's secrets and its model
   * are not among them.
   *
   * @throws AppError `not_found`, `forbidden`, `scope_missing`, `environment_failed`
   */
  async parts(actor: Actor, programId: string, version: string | undefined): Promise<ProgramParts> {
    const program = await this.#resolve(actor, programId, version);
    const environmentId = await this.#context.environments.ofProgram(this.#refOf(program), actor.userId);
    return await this.#prepare(program, environmentId, actor, { signal: AbortSignal.timeout(longestBuildMs) });
  }

  /**
   * Everything that a run of the program gets, for somebody to work with it. What can be refused is refused before anything is made.
   *
   * @throws AppError as a run of it
   */
  async forUse(actor: Actor, programId: string, { version, env, datasets: wished }: UseWish): Promise<ProgramForUse> {
    const { catalog, datasets, environments, models: allModels, sandboxes, trees } = this.#context;
    const program = await this.#resolve(actor, programId, version);
    const { asset, config } = program;
    const { given, withheld } = freelyGiven(await secretsFor(catalog, actor, program));
    const bound = config.modelId === null ? [] : [config.modelId];
    const { models, network } = await allModels.forRun(actor, bound, config.network);
    requireNetwork(actor, network, sandboxes, models.length);
    const own = program.tree === null || wished.length === 0 ? [] : await trees.read(program.tree.sha256);
    const mounts = await datasets.forRun(
      actor,
      wished,
      own.map(({ path }) => path),
    );
    const environmentId = await environments.ofProgram(this.#refOf(program), actor.userId);
    const thing = await catalog.thing(asset.id);
    if (thing === undefined) throw new AppError("not_found");
    const { cpus, memoryBytes, processes, openFiles, diskBytes } = limitsOf(config.profile, {});
    return {
      facts: {
        id: asset.id,
        name: asset.name,
        version: program.version,
        tree: program.tree?.sha256 ?? null,
        environmentId,
        modelId: models[0] ?? null,
        secretVariables: given.map(({ variable }) => variable),
        variables: Object.keys(env),
        datasets: mounts.map(({ id, name, version: at, split, path }) => ({ id, name, version: at, split, path })),
        withheldVariables: [...withheld],
        fingerprint: fingerprintOf(program, given),
      },
      thing,
      find: () => catalog.thing(asset.id),
      action: actionFor(given),
      language: withVersion(config.runtime, config.runtimeVersion),
      leastTier: config.leastTier,
      limits: { cpus, memoryBytes, processes, openFiles, diskBytes },
      network,
      models,
      secrets: given,
      variables: { ...env, ...datasetVariables(mounts) },
      prepare: (signal, onWait) => this.#prepare(program, environmentId, actor, { signal, onWait, mounts }),
    };
  }

  /** Whether what was made of a program is what would be made of it now; null for nothing. @throws AppError `not_found`, `forbidden` */
  async isCurrent(actor: Actor, programId: string, version: string | undefined, made: ProgramFacts | null): Promise<boolean | null> {
    const { catalog, environments } = this.#context;
    const program = await this.#resolve(actor, programId, version);
    if (made === null) return null;
    if (made.fingerprint !== fingerprintOf(program, freelyGiven(await secretsFor(catalog, actor, program)).given)) return false;
    const { environment } = await environments.forProgram(actor, programId, version);
    // One that is not known yet has no id.
    return environment === null || environment.id === "" || environment.id === made.environmentId;
  }

  /** Who may run a program may read its files: a key that was not made for reading them does not get at them this way. */
  async #resolve(actor: Actor, programId: string, version: string | undefined): Promise<Program> {
    const program = await this.#context.catalog.resolve(actor, "asset:run", programId, version, "program");
    if (actor.scopes !== undefined && !actor.scopes.some((scope) => covers(scope, sourceScope)))
      throw new AppError("scope_missing", {
        message: `The files of a program are in its sandbox, and this key lacks the scope \`${sourceScope}\`.`,
      });
    return program;
  }

  #refOf({ asset, tree, config, version }: Program): ProgramRef {
    const runtime = this.#context.runtimes.get(withVersion(config.runtime, config.runtimeVersion));
    return { assetId: asset.id, ownerId: asset.ownerId, version, treeSha256: tree?.sha256 ?? null, config, runtime };
  }

  /** @throws AppError `environment_failed`, SandboxError, the signal's reason */
  async #prepare(
    { config, tree }: Program,
    environmentId: string | null,
    actor: Actor,
    { signal, onWait = () => {}, mounts = [] }: Preparation,
  ): Promise<ProgramParts> {
    const { environments, trees, blobs } = this.#context;
    const waiter = { personId: actor.userId, signal, onPhase: onWait };
    const ready = environmentId === null ? null : await environments.prepare(environmentId, waiter).catch(toAppError);
    try {
      const files = tree === null ? [] : await trees.read(tree.sha256);
      const entries = inputEntries(blobs, [...files], ready?.links ?? [], [...mounts]);
      const { leastTier } = config;
      return { language: withVersion(config.runtime, config.runtimeVersion), leastTier, files: entries, ...partsOf(ready) };
    } catch (error) {
      ready?.release();
      throw error;
    }
  }
}

/** What a key needs to read the files of programs. */
const sourceScope = "programs:read";

function partsOf(ready: ReadyEnvironment | null): Omit<ProgramParts, "language" | "leastTier" | "files"> {
  const { PATH: _path, ...env } = ready?.env ?? {};
  const home = env["VIRTUAL_ENV"];
  return {
    path: ready?.folders ?? [],
    env: { ...env, ...ready?.compileEnv },
    python: home === undefined ? null : `${home}/bin/python`,
    layers: ready === null ? [] : [ready.layer],
    release: ready?.release ?? (() => {}),
  };
}

/** What somebody must be able to do for as long as they have these secrets. */
function actionFor(given: Secrets): ProgramForUse["action"] {
  if (given.some(({ givenTo }) => givenTo === "owner")) return "asset:transfer";
  return given.length > 0 ? "asset:edit" : "asset:run";
}

function fingerprintOf({ version, tree, config }: Program, given: Secrets): string {
  const { runtime, runtimeVersion, dependencies, profile, network, modelId } = config;
  const parts = [version, tree?.sha256 ?? null, runtime, runtimeVersion, dependencies, profile, network, modelId, given];
  return hash("sha256", JSON.stringify(parts));
}

/** Why an environment is missing, as an answer. */
function toAppError(error: unknown): never {
  if (!(error instanceof EnvironmentFailedError)) throw error;
  const { message, hint, explanation } = error.failure;
  throw new AppError("environment_failed", { message, hint, details: { code: error.failure.code, explanation } });
}
