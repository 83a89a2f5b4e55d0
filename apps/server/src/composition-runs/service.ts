import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { CompositionRunInput } from "@syla/contracts/composition-runs";
import { AppError } from "@syla/contracts/errors";
import type { NetworkPolicy } from "@syla/contracts/network";
import type { FileInput, LeastTier, Run } from "@syla/contracts/runs";
import { sortedJson } from "@syla/flow/canonical";
import type { FlowGraph } from "@syla/contracts/flow";
import { compileTold } from "@syla/flow/compile";
import { walkNodes } from "@syla/flow/walk";
import type { Actor } from "../access/actor.ts";
import type { Catalog } from "../catalog/service.ts";
import type { Compositions, RunnableComposition } from "../compositions/service.ts";
import type { Environments } from "../environments/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import type { Trees } from "../platform/trees.ts";
import { limitsOf } from "../program-runs/service.ts";
import { withVersion, type Runtimes } from "../runtimes/service.ts";
import {
  checkSubmission,
  requireNetwork,
  runConfigs,
  storeSubmission,
  type RunConfig,
  type Runs,
  type SubmitOptions,
} from "../runs/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { checkInputs, checkPins, chosenPart } from "./check-input.ts";
import { unionOfNeeds, type ProgramNeeds } from "./dependencies.ts";
import { planFile, planOf } from "./plan.ts";
import { placesOf, requireSecretsAgain, secretsOf } from "./secrets.ts";
import { resolveReferences, type ReferencesContext, type ResolvedReferences } from "./references.ts";

/** What running compositions takes. */
export interface CompositionRunsContext extends ReferencesContext {
  readonly catalog: Pick<Catalog, "resolve">;
  readonly compositions: Pick<Compositions, "forRun">;
  readonly database: Database;
  readonly trees: Trees;
  readonly blobs: Blobs;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly environments: Pick<Environments, "ofProgram" | "isReady" | "needsOf">;
  readonly runs: Pick<Runs, "submitProgram" | "require">;
}

type RanComposition = NonNullable<RunConfig["composition"]>;

const entrypoint = "composition.py";
const hookFiles = ["syla_hooks.py", "syla_channel.py", "syla_calls.py"] as const;

/** Runs of compositions: compiled with everything that they use, and then one of the runs that there are. */
export class CompositionRuns {
  readonly #context: CompositionRunsContext;

  constructor(context: CompositionRunsContext) {
    this.#context = context;
  }

  /** Whether somebody may run again what a run has run, and everything that it used. @throws AppError `not_found`, `forbidden`, `asset_deleted` */
  async requireAgain(actor: Actor, ran: RanComposition): Promise<void> {
    const { catalog } = this.#context;
    await catalog.resolve(actor, "asset:run", ran.id, ran.version ?? undefined, "composition");
    for (const { kind, id, version } of ran.references)
      if (kind !== "model") await catalog.resolve(actor, "asset:run", id, version ?? undefined, kind);
    await requireSecretsAgain(catalog, actor, ran);
  }

  /** @throws AppError */
  async submit(actor: Actor, id: string, wish: CompositionRunInput, options: SubmitOptions): Promise<Run> {
    const { compositions, sandboxes, runs } = this.#context;
    const composition = await compositions.forRun(actor, id, wish.version);
    const { graph } = composition;
    const before = wish.restartOf === undefined ? null : await this.#before(actor, id, wish.restartOf);
    const input = before !== null && Object.keys(wish.inputs).length === 0 ? { ...wish, inputs: before.inputs } : wish;
    const part = chosenPart(graph, input);
    checkInputs(graph, part.graph, input.inputs);
    checkPins(graph, input.pins);
    const resolved = await resolveReferences(this.#context, actor, composition, part.graph, input.model);
    const network = networkOf(resolved, input.network);
    requireNetwork(actor, network, sandboxes, 1);
    const given = await secretsOf(this.#context.catalog, actor, composition.asset.id, resolved.programs, new Set(Object.keys(input.env)));
    const { files, known, plan } = await this.#files(resolved, part, input, { network, ...given });
    const environmentId = await this.#environment(actor, composition, resolved);
    const limits = limitsOf(input.profile ?? "small", input.limits);
    const stored = await this.#store(actor, input, files, known, strongest(resolved));
    const ran: RanComposition = {
      id: composition.asset.id,
      name: composition.asset.name,
      version: composition.version,
      ownerId: composition.asset.ownerId,
      graphHash: composition.hash,
      references: [...resolved.references],
      plan: hash("sha256", plan),
      environmentId,
      lineage: before?.lineage ?? null,
      ...given,
    };
    const config = runConfigs.trust({ ...stored.config, limits, network, models: [...resolved.models], composition: ran });
    const requestHash = hash("sha256", sortedJson([ran, input, config.files]));
    const isReady = environmentId === null || (await this.#context.environments.isReady(environmentId));
    return await runs.submitProgram(
      actor,
      { ...stored, kind: "composition", program: null, isReady, entrypoint, config, requestHash },
      { ...options, ...(wish.restartOf !== undefined && { retryOf: wish.restartOf }) },
    );
  }

  /** The run that another one goes on from. @throws AppError `not_found`, `forbidden` */
  async #before(actor: Actor, id: string, runId: string): Promise<{ lineage: string; inputs: Record<string, unknown> }> {
    const row = await this.#context.runs.require(actor, runId, "run:rerun");
    const { composition, stdin } = runConfigs.parse(row.config);
    if (composition?.id !== id || row.owner_id !== actor.userId) throw new AppError("not_found");
    const inputs = stdin === null ? {} : (JSON.parse((await this.#context.blobs.get(stdin.sha256)).toString()) as Record<string, unknown>);
    return { lineage: composition.lineage ?? row.id, inputs };
  }

  /** Everything that lies in the working folder. */
  async #files(
    { graph, programs, digests }: ResolvedReferences,
    { forced, required }: ReturnType<typeof chosenPart>,
    { pins }: CompositionRunInput,
    { network, secrets }: { readonly network: NetworkPolicy; readonly secrets: RanComposition["secrets"] },
  ): Promise<{ files: FileInput[]; known: Map<string, number>; plan: string }> {
    const { source, nodes } = compileTold(graph, digests, typeof network !== "string" || network === "full");
    const known = new Map<string, number>();
    const files: FileInput[] = [{ path: entrypoint, content: source }];
    const folders: Record<string, string> = {};
    for (const { asset, tree } of programs) {
      folders[asset.id] = `programs/${asset.id}`;
      for (const { path, sha256, size } of tree === null ? [] : await this.#context.trees.read(tree.sha256)) {
        known.set(sha256, size);
        files.push({ path: `programs/${asset.id}/${path}`, blob: sha256 });
      }
    }
    const imported = [...walkNodes(graph)].flatMap(({ node }) =>
      node.kind === "slot" && node.config.module !== null ? [node.config] : [],
    );
    const modules = [...new Set(imported.flatMap(({ program }) => (program === undefined ? [] : [program.id])))];
    const imports = new Set(imported.map(({ module }) => module?.split(".")[0] ?? ""));
    refuseSameModules(programs, modules, imports, files);
    // What is never taken again is made again where it is needed.
    const kept = required.filter((path) => nodes[path]?.reuse !== "run");
    const names = new Map(programs.map(({ asset }) => [asset.id, asset.name]));
    const places = placesOf(secrets, modules, (id) => names.get(id) ?? id);
    const plan = JSON.stringify(planOf({ nodes, forced, required: kept, pins, folders, modules, secrets: places }));
    files.push({ path: planFile, content: plan });
    for (const name of hookFiles) files.push({ path: name, content: await readHooks(name) });
    return { files, known, plan };
  }

  async #environment(
    actor: Actor,
    { asset, version }: RunnableComposition,
    { graph, programs }: ResolvedReferences,
  ): Promise<string | null> {
    const versions = new Map(
      programs.flatMap(({ asset: { name }, config }) =>
        config.runtime === "python" && config.runtimeVersion !== null ? [[config.runtimeVersion, name] as const] : [],
      ),
    );
    const [first, second] = [...versions];
    if (first !== undefined && second !== undefined)
      throw new AppError("dependency_conflict", {
        message: `The programs of the composition need different versions of Python: ${first[1]} ${first[0]}, ${second[1]} ${second[0]}.`,
      });
    const runtime = this.#context.runtimes.get(first === undefined ? "python" : `python@${first[0]}`);
    const asksModels = [...walkNodes(graph)].some(({ node }) => node.kind === "model" || node.kind === "slot" || node.kind === "instruct");
    const needs = await this.#needs(graph, programs);
    const python = { language: runtime.definition.name, runtimeVersion: runtime.version ?? "" };
    const request = unionOfNeeds(needs, python, asksModels);
    if (request === null) return null;
    const config = { dependencies: { source: "manual" as const, file: null, packages: [] }, entrypoint };
    const ref = { assetId: asset.id, ownerId: asset.ownerId, version, treeSha256: null, config, runtime, request };
    return await this.#context.environments.ofProgram(ref, actor.userId);
  }

  /** What each program asks for by itself, and for which nodes. @throws AppError `dependencies_unsupported` */
  async #needs(graph: FlowGraph, programs: ResolvedReferences["programs"]): Promise<ProgramNeeds[]> {
    const { environments, runtimes } = this.#context;
    const nodes = nodesOfPrograms(graph);
    const needs: ProgramNeeds[] = [];
    for (const { asset, version, tree, config } of programs) {
      if (config.dependencies.source === "none") continue;
      const runtime = runtimes.get(withVersion(config.runtime, config.runtimeVersion));
      const ref = { assetId: asset.id, ownerId: asset.ownerId, version, treeSha256: tree?.sha256 ?? null, config, runtime };
      const request = await environments.needsOf(ref);
      if (request === null) continue;
      const of = nodes.get(asset.id) ?? [];
      if (request.manager !== "uv")
        throw new AppError("dependencies_unsupported", {
          message: `${asset.name} (${of.join(", ")}) needs packages of ${runtime.definition.name}: compositions have packages of Python alone.`,
          hint: "Put them among its files, or run the program by itself.",
          details: { program: asset.id, nodes: of },
        });
      needs.push({ name: asset.name, nodes: of, request });
    }
    return needs;
  }

  async #store(actor: Actor, input: CompositionRunInput, files: FileInput[], known: ReadonlyMap<string, number>, ofPrograms: LeastTier) {
    const context = { ...this.#context, queries: this.#context.database.queries };
    const asked = {
      language: "python",
      files,
      entrypoint,
      args: ["-"],
      env: input.env,
      stdin: JSON.stringify(input.inputs),
      ...(input.tier === undefined ? {} : { tier: input.tier }),
      limits: {},
      network: "none" as const,
      models: [],
      priority: input.priority,
      ...(input.startAt === undefined ? {} : { startAt: input.startAt }),
      cache: false as const,
    };
    return await storeSubmission(this.#context, await checkSubmission(context, actor.userId, asked, known, ofPrograms), asked, null);
  }
}

/** What the programs ask for at least, all of which run in one place. */
function strongest({ programs }: ResolvedReferences): LeastTier {
  return programs.some(({ config }) => config.leastTier === "microvm") ? "microvm" : "namespace";
}

/** The paths of the nodes that use each program, by its id. */
function nodesOfPrograms(graph: FlowGraph): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path, node } of walkNodes(graph)) {
    if ((node.kind !== "program" && node.kind !== "slot") || node.config.program === undefined) continue;
    const { id } = node.config.program;
    found.set(id, [...(found.get(id) ?? []), [...path, node.id].join("/")]);
  }
  return found;
}

/** The hosts of its requests and of its programs; what is told of its nodes goes the gateway's way in any case. */
function networkOf({ graph, programs }: ResolvedReferences, wish: NetworkPolicy | undefined): NetworkPolicy {
  if (wish !== undefined) return wish === "none" ? "gateway" : wish;
  const policies = programs.map(({ config }) => config.network);
  if (policies.includes("full")) return "full";
  const hosts = [
    ...[...walkNodes(graph)].flatMap(({ node }) => (node.kind === "http" ? node.config.allowedHosts : [])),
    ...policies.flatMap((policy) => (typeof policy === "string" ? [] : policy.allow)),
  ];
  return hosts.length === 0 ? "gateway" : { allow: [...new Set(hosts)] };
}

/** Modules of nearly every program that no other module asks for. */
const unimported: ReadonlySet<string> = new Set(["setup", "conftest", "test", "tests", "docs", "examples"]);

/** Python would take one of two modules of the same name for the other. @throws AppError `dependency_conflict` */
function refuseSameModules(
  programs: ResolvedReferences["programs"],
  modules: readonly string[],
  imported: ReadonlySet<string>,
  files: readonly FileInput[],
): void {
  const owners = new Map<string, string>();
  for (const { asset, config } of programs) {
    if (!modules.includes(asset.id)) continue;
    const start = `programs/${asset.id}/`;
    const own = new Set(files.flatMap(({ path }) => (path.startsWith(start) ? [moduleOf(path.slice(start.length))] : [])));
    for (const name of own) {
      if (name === null || ((unimported.has(name) || name === moduleOf(config.entrypoint)) && !imported.has(name))) continue;
      const other = owners.get(name);
      if (other !== undefined)
        throw new AppError("dependency_conflict", {
          message: `Two programs of the composition have a module of the same name: ${other} and ${asset.name} have ${name}.`,
          hint: "Rename one of them.",
          details: { module: name },
        });
      owners.set(name, asset.name);
    }
  }
}

function moduleOf(path: string): string | null {
  const [first = "", ...more] = path.split("/");
  if (more.length > 0) return /^[A-Za-z_]\w*$/.test(first) && path.endsWith(".py") ? first : null;
  return /^([A-Za-z_]\w*)\.py$/.exec(first)?.[1] ?? null;
}

const hookSources = new Map<string, Promise<string>>();

function readHooks(name: (typeof hookFiles)[number]): Promise<string> {
  const known = hookSources.get(name) ?? readFile(fileURLToPath(import.meta.resolve(`@syla/flow/told/${name}`)), "utf8");
  hookSources.set(name, known);
  return known;
}
