import type { EnvironmentImage, EnvironmentImageEvent, EnvironmentImagePhase } from "@syla/contracts/environment-images";
import { EnvironmentImagePhase as Phase, EnvironmentImage as Image } from "@syla/contracts/environment-images";
import { AppError, errorCatalog, type ErrorCode } from "@syla/contracts/errors";
import type { Check } from "@syla/contracts/system";
import { join } from "node:path";
import type { Actor } from "../../access/actor.ts";
import { requirePermission } from "../../access/service.ts";
import type { Credentials } from "../../credentials/service.ts";
import type { Blobs } from "../../platform/blobs.ts";
import { notify, type Database } from "../../platform/database.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Service } from "../../platform/service.ts";
import type { LiveRuns } from "../../runs/live-runs.ts";
import { bytesOf, readLog, writeLog, type LogRecord } from "../../runs/service.ts";
import { withVersion, type Runtimes } from "../../runtimes/service.ts";
import type { LayerStore } from "../layer-store.ts";
import { EnvironmentFailedError, type Environments } from "../service.ts";
import { changedChannel, findEnvironment, type EnvironmentRow } from "../store.ts";
import { assembleImage, baseRepository, imageName, tagOf, type AssembledImage, type ImageParts } from "./assemble.ts";
import { Buildah, BuilderError } from "./buildah.ts";
import { pushImage, type Registry } from "./registry.ts";
import * as store from "./store.ts";

const followMs = 500;
const longestMs = 1_800_000;
/** Images stay in the builder's store, to be pushed (again), until so many newer ones are there or the server ends. */
const mostKept = 3;
const installHint = "Install buildah on the server: apt-get install buildah";
const repositoryHint = "An administrator names the registry: syla admin settings imageRepository registry.example.org/team/environments";

/** What images are made with. */
export interface ImagesContext {
  readonly environments: Environments;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly layers: LayerStore;
  readonly runtimes: Runtimes;
  readonly live: LiveRuns;
  readonly logger: Logger;
  readonly credentials: Pick<Credentials, "reveal">;
  readonly workerId: string;
  /** The Python that the agent of a sandbox runs on. */
  readonly python: string;
  /** The builder's own. */
  readonly folder: string;
  /** Where images go; `repository` null: nowhere. Asked each time. */
  readonly target: () => { readonly repository: string | null; readonly credentialId: string | null; readonly isInsecure: boolean };
}

type ImageError = NonNullable<EnvironmentImage["error"]>;

/** Environments as OCI images, for clusters: one after another, beside everything else. */
export class Images implements Service {
  readonly name = "images";
  readonly #context: ImagesContext;
  readonly #builder: Buildah;
  readonly #stop = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #queue: Promise<void> = Promise.resolve();
  /** By the environment's key, oldest first. `layer`: of which they were made; one that was built again makes another image. */
  readonly #kept = new Map<string, { readonly image: AssembledImage; readonly layer: string }>();

  constructor(context: ImagesContext) {
    this.#context = context;
    this.#builder = new Buildah(join(context.folder, "images"));
  }

  run(): Promise<void> {
    return this.#ended.promise;
  }

  async drain(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the server is shutting down"));
    await this.#queue;
    this.#ended.resolve();
  }

  /** For `syla doctor`. */
  check(): Check {
    const name = "environment images";
    const { available, detail, fix } = builderState();
    if (!available) return { name, status: "ok", detail: `off: ${detail}${fix === null ? "" : `; ${fix}`}`, fix: null };
    const { repository } = this.#context.target();
    if (repository === null) return { name, status: "ok", detail: `off: no registry is set up; ${detail}; ${repositoryHint}`, fix: null };
    return { name, status: "ok", detail: `${detail}, pushed to ${repository}`, fix: null };
  }

  async get(actor: Actor, id: string): Promise<EnvironmentImage> {
    await this.#context.environments.get(actor, id); // whether they may see it
    return await this.#present(id);
  }

  /** Begins beside the caller. @throws AppError `image_unavailable`, `credential_missing` */
  async start(actor: Actor, id: string, { push }: { readonly push: boolean }): Promise<EnvironmentImage> {
    requirePermission(actor, "environment:manage");
    await this.#context.environments.get(actor, id);
    if (Buildah.find() === null)
      throw new AppError("image_unavailable", { message: "This server has no image builder.", hint: installHint });
    const registry = push ? await this.#registry() : null;
    const { database, workerId } = this.#context;
    const row = await findEnvironment(database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    if (await store.claimImage(database.queries, id, workerId)) {
      const work = this.#make(row, registry).catch((error: unknown) =>
        this.#context.logger.error({ err: error, environmentId: id }, "an image was not made, and its end not recorded"),
      );
      this.#queue = Promise.allSettled([this.#queue, work]).then(() => undefined); // whatever comes of one, the next has its turn
    }
    return await this.#present(id);
  }

  /** The log of the last build or push, as text. */
  async *log(actor: Actor, id: string): AsyncGenerator<Buffer> {
    await this.#context.environments.get(actor, id);
    const row = await store.findImage(this.#context.database.queries, id);
    for await (const record of this.#records(id, row)) yield bytesOf(record);
  }

  /** What happens after `lastSeq`, up to and with `end`. */
  async *follow(actor: Actor, id: string, lastSeq: number, gone: AbortSignal): AsyncGenerator<EnvironmentImageEvent> {
    await this.#context.environments.get(actor, id);
    const { live: lives, database } = this.#context;
    let row = await store.findImage(database.queries, id);
    let seq = lastSeq;
    while (!gone.aborted) {
      const live = lives.get(liveName(id));
      const isOver = live === undefined && row?.state !== "building";
      for await (const record of live?.follow(seq, gone) ?? (isOver ? this.#records(id, row) : [])) {
        if (record.seq <= seq) continue;
        seq = record.seq;
        yield toEvent(record);
      }
      row = await store.findImage(database.queries, id);
      if (row?.state !== "building" && lives.get(liveName(id)) === undefined)
        return yield { type: "end", seq: seq + 1, time: new Date().toISOString(), image: await this.#present(id) };
      await lives.changed(liveName(id), followMs, gone);
    }
  }

  async *#records(id: string, row: store.ImageRow | undefined): AsyncGenerator<LogRecord> {
    const live = this.#context.live.get(liveName(id));
    if (live !== undefined) yield* live.snapshot();
    else if (row?.log_sha256 != null && (await this.#context.blobs.has(row.log_sha256)))
      yield* readLog(this.#context.blobs, row.log_sha256);
  }

  async #registry(): Promise<Registry> {
    const { repository, credentialId, isInsecure } = this.#context.target();
    if (repository === null)
      throw new AppError("image_unavailable", { message: "No registry for images is set up.", hint: repositoryHint });
    const credential = credentialId === null ? null : await this.#context.credentials.reveal(credentialId, "registry");
    return { repository, credential, isInsecure };
  }

  /** Never rejects: what comes of it stands in the row. */
  async #make(row: EnvironmentRow, registry: Registry | null): Promise<void> {
    const { live: lives, database, workerId, blobs, logger } = this.#context;
    const live = lives.open(liveName(row.id));
    let written = Promise.resolve();
    const enter = (phase: EnvironmentImagePhase) => {
      live.status("starting", phase, 1);
      // In order, and before the end; an error here only means that a reader sees less meanwhile.
      written = written.then(() => store.setImagePhase(database.queries, row.id, workerId, phase)).catch(() => {});
    };
    enter("environment");
    const keepLog = async () => {
      await Promise.all([live.close(), written]);
      return (await writeLog(blobs, live.content())).sha256;
    };
    try {
      await this.#queue;
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(longestMs)]);
      const made = await this.#build(row, registry, signal, enter, (data) => live.output("stdout", data));
      await store.finishImage(database.queries, row.id, workerId, made, await keepLog());
    } catch (error) {
      logger.info({ err: error, environmentId: row.id }, "an image was not made");
      await keepLog()
        .then((log) => store.failImage(database.queries, row.id, workerId, describe(error), log))
        .catch((reason: unknown) => logger.warn({ err: reason, environmentId: row.id }, "the end of an image could not be recorded"));
    } finally {
      await live.discard().catch(() => {});
      lives.close(liveName(row.id));
      await notify(database.queries, changedChannel, row.id).catch(() => {});
    }
  }

  async #build(
    row: EnvironmentRow,
    registry: Registry | null,
    signal: AbortSignal,
    enter: (phase: EnvironmentImagePhase) => void,
    log: (data: Buffer) => void,
  ): Promise<store.FinishedImage> {
    const { environments, runtimes, layers, python } = this.#context;
    const ready = await environments.prepare(row.id, { personId: "images", signal });
    try {
      enter("assemble");
      const runtime = runtimes.get(withVersion(row.language, row.runtime_version));
      const ask = runtimes.get("python").definition.image.ask;
      const labels = {
        "org.opencontainers.image.title": `Syla environment for ${row.language} ${row.runtime_version}`,
        "dev.syla.environment.key": row.key,
        "dev.syla.runtime": `${row.language}@${row.runtime_version}`,
        "dev.syla.platform": row.platform,
      };
      const layerFolder = join(layers.folder, ready.layer);
      const parts = { manager: row.manager, key: row.key, runtime, layerFolder, python: { binary: python, ask }, labels };
      const image = await this.#take(parts, ready.layer, registry !== null, signal, log);
      const { id: imageId, size } = image;
      if (registry === null) return { imageId, size, pushed: null };
      enter("push");
      const reference = `${registry.repository}:${tagOf(row.key)}`;
      log(Buffer.from(`pushing ${reference}\n`));
      const digest = await pushImage(this.#builder, imageName(row.key), reference, registry, signal, log);
      log(Buffer.from(`${reference}@${digest}\n`));
      return { imageId, size, pushed: { reference, digest } };
    } finally {
      ready.release();
    }
  }

  /** One that was made of the same layer will do for `mayKeep`. */
  async #take(
    parts: ImageParts,
    layer: string,
    mayKeep: boolean,
    signal: AbortSignal,
    log: (data: Buffer) => void,
  ): Promise<AssembledImage> {
    const { key } = parts;
    const kept = this.#kept.get(key);
    if (mayKeep && kept?.layer === layer) {
      this.#kept.delete(key); // it is the newest now
      this.#kept.set(key, kept);
      return kept.image;
    }
    const image = await assembleImage(parts, this.#builder, signal, log);
    this.#kept.delete(key);
    this.#kept.set(key, { image, layer });
    if (kept !== undefined && kept.image.id !== image.id) await this.#tidy("rmi", [kept.image.id], signal);
    await this.#makeRoom(signal);
    return image;
  }

  /** Removes what can be made again: older images, and what no image stands on. */
  async #makeRoom(signal: AbortSignal): Promise<void> {
    for (const old of [...this.#kept.keys()].slice(0, -mostKept)) {
      this.#kept.delete(old);
      await this.#tidy("rmi", [imageName(old)], signal);
    }
    const words = ["--format", "{{.Name}}:{{.Tag}}", "--filter", `reference=${baseRepository}`];
    const bases = await this.#tidy("images", words, signal);
    const used = new Set([...this.#kept.values()].map(({ image }) => image.base));
    for (const base of bases.split("\n")) if (base !== "" && !used.has(base)) await this.#tidy("rmi", [base], signal);
  }

  /** A command that no image depends on. */
  async #tidy(verb: string, words: readonly string[], signal: AbortSignal): Promise<string> {
    return await this.#builder
      .run(verb, words, signal, () => {})
      .catch((error: unknown) => {
        if (!(error instanceof BuilderError)) throw error;
        this.#context.logger.warn({ err: error, output: error.output }, "old images could not be removed from the builder");
        return "";
      });
  }

  async #present(id: string): Promise<EnvironmentImage> {
    const row = await store.findImage(this.#context.database.queries, id);
    return {
      environmentId: id,
      state: row?.state ?? "none",
      phase: row?.phase ?? null,
      imageId: row?.image_id ?? null,
      reference: row?.reference ?? null,
      digest: row?.digest ?? null,
      size: row?.size ?? null,
      error: row?.error == null ? null : Image.shape.error.parse(row.error),
      hasLog: row?.log_sha256 != null,
      builtAt: row?.built_at?.toISOString() ?? null,
      pushedAt: row?.pushed_at?.toISOString() ?? null,
      builder: builderState(),
      repository: this.#context.target().repository,
    };
  }
}

function builderState(): EnvironmentImage["builder"] {
  const program = Buildah.find();
  return program === null
    ? { available: false, detail: "buildah is not installed", fix: installHint }
    : { available: true, detail: `built with ${program}`, fix: null };
}

/** Of an image's log among those of environments. */
function liveName(id: string): string {
  return `${id}.image`;
}

/** Why there is none, for people. */
function describe(error: unknown): ImageError {
  if (error instanceof EnvironmentFailedError) {
    const { class: errorClass, code, message, hint, explanation } = error.failure;
    return { class: errorClass, code, message, hint, explanation };
  }
  if (error instanceof AppError)
    return { class: "infrastructure", code: error.code, message: error.message, hint: error.hint, explanation: null };
  const output = error instanceof BuilderError ? error.output : null;
  const code = codeOf(output ?? "");
  const { message, hint } = errorCatalog[code];
  return { class: "infrastructure", code, message, hint, explanation: output?.trim().slice(-4000) || null };
}

function codeOf(output: string): ErrorCode {
  if (/unauthorized|authentication required|denied|invalid username\/password|: 40[13] /i.test(output)) return "registry_refused";
  if (
    /connection refused|no such host|i\/o timeout|deadline exceeded|x509|server gave HTTP response|pinging container registry|: 5\d\d /i.test(
      output,
    )
  )
    return "registry_unreachable";
  return "image_failed";
}

function toEvent(record: LogRecord): EnvironmentImageEvent {
  const time = new Date(record.time).toISOString();
  if (record.type === "log") return { type: "log", seq: record.seq, time, text: record.text ?? bytesOf(record).toString() };
  const phase = Phase.safeParse(record.type === "status" ? record.phase : null);
  return { type: "phase", seq: record.seq, time, phase: phase.success ? phase.data : null };
}
