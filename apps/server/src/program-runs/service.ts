import { hash } from "node:crypto";
import type { ProgramConfig } from "@syla/contracts/program-config";
import type { ProgramRunInput, Run } from "@syla/contracts/runs";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import type { Datasets } from "../datasets/service.ts";
import type { Environments } from "../environments/service.ts";
import type { Models } from "../models/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import type { Trees } from "../platform/trees.ts";
import { withVersion, type InstalledRuntime, type Runtimes } from "../runtimes/service.ts";
import {
  checkSubmission,
  profileLimits,
  refuseReserved,
  programOutputBytes,
  requireNetwork,
  runConfigs,
  storeSubmission,
  type RunConfig,
  type Runs,
  type SubmitOptions,
} from "../runs/service.ts";
import { chosenParts, refuseChosen, requireStillGiven, secretsFor } from "./secrets.ts";
import type { Sandboxes } from "../sandboxes/service.ts";

export { requireStillGiven, secretsWithin } from "./secrets.ts";

/** What running programs of the catalog takes. */
export interface ProgramRunsContext {
  readonly catalog: Pick<Catalog, "resolve">;
  readonly database: Database;
  readonly trees: Trees;
  readonly blobs: Blobs;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly environments: Pick<Environments, "ofProgram" | "isReady">;
  readonly runs: Pick<Runs, "submitProgram">;
  readonly models: Pick<Models, "forRun">;
  readonly datasets: Pick<Datasets, "forRun">;
}

type Program = ResolvedAsset<"program">;

/** Runs of programs of the catalog: brought to the form that every run has, and then one of them. */
export class ProgramRuns {
  readonly #context: ProgramRunsContext;

  constructor(context: ProgramRunsContext) {
    this.#context = context;
  }

  /** Whether somebody may run again what a run has run. @throws AppError `not_found`, `forbidden`, `asset_deleted` */
  async requireAgain(actor: Actor, ran: NonNullable<RunConfig["program"]>): Promise<void> {
    const program = await this.#context.catalog.resolve(actor, "asset:run", ran.id, ran.version ?? undefined, "program");
    if (ran.secrets.length === 0) return;
    const { given, mayEdit } = await secretsFor(this.#context.catalog, actor, program);
    requireStillGiven(ran, { ownerId: program.asset.ownerId, given });
    if (!ran.asItIs && !mayEdit) throw new AppError("forbidden");
  }

  /** @throws AppError */
  async submit(actor: Actor, input: ProgramRunInput, options: SubmitOptions): Promise<Run> {
    const { catalog, environments, runs, sandboxes, runtimes } = this.#context;
    const program = await catalog.resolve(actor, "asset:run", input.programId, input.version, "program");
    const { config } = program;
    const runtime = runtimes.get(withVersion(config.runtime, config.runtimeVersion));
    const chosen = chosenParts(input);
    const secrets = await secretsFor(catalog, actor, program);
    if (secrets.given.length > 0 && chosen.length > 0 && !secrets.mayEdit) refuseChosen(chosen);
    const model = input.modelId ?? config.modelId;
    const { models, network } = await this.#context.models.forRun(actor, model === null ? [] : [model], input.network ?? config.network);
    requireNetwork(actor, network, sandboxes, models.length);
    const entrypoint = await this.#entrypoint(program, input);
    const extra = await this.#checkInput(actor, input, program, runtime, entrypoint);
    const { version, tree } = program;
    const datasets = await this.#datasets(actor, input, program);
    const ref = { assetId: program.asset.id, ownerId: program.asset.ownerId, version, treeSha256: tree?.sha256 ?? null, config, runtime };
    const environmentId = await environments.ofProgram(ref, actor.userId);
    const ran: NonNullable<RunConfig["program"]> = {
      id: program.asset.id,
      name: program.asset.name,
      version,
      tree: tree?.sha256 ?? null,
      environmentId,
      ownerId: program.asset.ownerId,
      secrets: secrets.given.map(({ variable, credentialId }) => ({ variable, credentialId })),
      withheld: [...secrets.withheld],
      asItIs: chosen.length === 0,
    };
    const limits = limitsOf(input.profile ?? config.profile, input.limits);
    const full = runConfigs.trust({ ...extra.config, version: config.runtimeVersion, limits, network, models, datasets, program: ran });
    const later = input.startAt === undefined ? [] : [input.startAt];
    const requestHash = hash("sha256", JSON.stringify([ran.id, ran.version, ran.tree, entrypoint, full, input.priority, ...later]));
    const isReady = environmentId === null || (await environments.isReady(environmentId));
    return await runs.submitProgram(
      actor,
      { ...extra, kind: "program", program: ran, isReady, entrypoint, config: full, requestHash },
      options,
    );
  }

  /** The datasets of the run, none of which takes the place of another file. @throws AppError */
  async #datasets(actor: Actor, { datasets, files }: ProgramRunInput, { tree }: Program): Promise<RunConfig["datasets"]> {
    if (datasets.length === 0) return [];
    const own = tree === null ? [] : await this.#context.trees.read(tree.sha256);
    const taken = new Set([...own, ...files].map(({ path }) => path));
    return await this.#context.datasets.forRun(actor, datasets, [...taken]);
  }

  /** The file that is run. @throws AppError `entrypoint_missing` */
  async #entrypoint({ tree, config }: Program, input: ProgramRunInput): Promise<string> {
    const entrypoint = input.entrypoint ?? config.entrypoint;
    const entries = tree === null ? [] : await this.#context.trees.read(tree.sha256);
    const isThere = entries.some(({ path }) => path === entrypoint) || input.files.some(({ path }) => path === entrypoint);
    if (isThere) return entrypoint;
    throw new AppError("entrypoint_missing", {
      message: `The entrypoint ${JSON.stringify(entrypoint)} is not among the program's files.`,
      fields: [{ path: "entrypoint", message: "must be one of the files" }],
    });
  }

  /** What was sent along goes the way of everything that is sent along; the entrypoint stands in for the program's files. */
  async #checkInput(actor: Actor, input: ProgramRunInput, program: Program, runtime: InstalledRuntime, entrypoint: string) {
    const { database } = this.#context;
    const { args = program.config.args, env, stdin, stdinBase64, tier, priority, startAt } = input;
    const standIn = input.files.some(({ path }) => path === entrypoint) ? [] : [{ path: entrypoint, content: " " }];
    const asked = {
      language: withVersion(runtime.definition.name, program.config.runtimeVersion),
      files: [...input.files, ...standIn],
      entrypoint,
      args,
      env,
      ...(stdin === undefined ? {} : { stdin }),
      ...(stdinBase64 === undefined ? {} : { stdinBase64 }),
      ...(tier === undefined ? {} : { tier }),
      limits: {},
      network: "none" as const,
      models: [],
      priority,
      ...(startAt === undefined ? {} : { startAt }),
      cache: false as const,
    };
    refuseReserved(input.files);
    const checked = await checkSubmission(
      { ...this.#context, queries: database.queries },
      actor.userId,
      asked,
      undefined,
      program.config.leastTier,
    );
    const contents = standIn.length === 0 ? checked.contents : checked.contents.filter(({ path }) => path !== entrypoint);
    return await storeSubmission(this.#context, { ...checked, contents }, asked, null);
  }
}

/** Those of the profile, and what is asked for in their place. */
export function limitsOf(profile: ProgramConfig["profile"], asked: ProgramRunInput["limits"]): RunConfig["limits"] {
  const base = typeof profile === "string" ? profileLimits[profile] : { ...profileLimits.small, ...profile };
  return { outputBytes: programOutputBytes, ...base, ...asked };
}
