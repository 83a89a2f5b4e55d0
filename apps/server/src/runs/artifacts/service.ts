import type { Readable } from "node:stream";
import type { ArtifactLink, ArtifactLinkInput } from "@syla/contracts/artifacts";
import { AppError } from "@syla/contracts/errors";
import type { Artifact } from "@syla/contracts/runs";
import type { Actor } from "../../access/actor.ts";
import { whileHeld } from "../../access/service.ts";
import type { Blobs } from "../../platform/blobs.ts";
import type { Database } from "../../platform/database.ts";
import { readCursor, toPage } from "../../platform/page-cursor.ts";
import type { DeriveSecret } from "../../platform/standard-webhooks.ts";
import { addBlob, createZip, safeZipPath } from "../../platform/zip.ts";
import type { Runs } from "../service.ts";
import { readLink, signLink } from "./links.ts";
import * as store from "./store.ts";

/** What artifacts are read with. */
export interface RunArtifactsContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly runs: Pick<Runs, "require" | "hold">;
  readonly secretOf: DeriveSecret;
  /** Whoever has made a link, as they are now. */
  readonly actFor: (userId: string) => Promise<Actor>;
  /** Where links lead. */
  readonly publicUrl: string;
}

/** Compressed already: to try again costs time and gains nothing. */
const packed = /^(?:image\/(?!svg|bmp)|video\/|audio\/|font\/woff|application\/(?:zip|gzip|zstd|x-(?:7z|bzip|xz|rar)|java-archive|pdf))/;

/** What runs left in /output, for whoever may read the run. */
export class RunArtifacts {
  readonly #context: RunArtifactsContext;
  readonly #secretOf: (runId: string) => string;

  constructor(context: RunArtifactsContext) {
    this.#context = context;
    this.#secretOf = (runId) => context.secretOf("artifacts", runId, 1);
  }

  /** A page of them, by path. */
  async list(actor: Actor, runId: string, { cursor, limit, q }: { cursor?: string | undefined; limit: number; q?: string | undefined }) {
    await this.#context.runs.require(actor, runId, "run:read");
    const after = readCursor(cursor);
    const rows = await store.listArtifacts(this.#context.database.queries, runId, { after, limit: limit + 1, part: q });
    return toPage(rows, limit, ({ path }) => path, toArtifact);
  }

  async get(actor: Actor, runId: string, artifactId: string): Promise<store.ArtifactRow> {
    await this.#context.runs.require(actor, runId, "run:artifact");
    return await this.#find(runId, artifactId);
  }

  /** All of them as a zip archive, as it is being written. It is cut off when the access to them ends. */
  async zip(actor: Actor, runId: string, gone: AbortSignal): Promise<Readable> {
    const run = await this.#context.runs.require(actor, runId, "run:artifact");
    const rows = await store.listArtifacts(this.#context.database.queries, runId);
    const { zip, output } = createZip();
    const mtime = run.finished_at ?? run.created_at;
    for (const row of rows) addBlob(zip, this.#context.blobs, safeZipPath(row.path), row, { mtime, compress: !packed.test(row.mime_type) });
    zip.end();
    return whileHeld(output, [this.#context.runs.hold(actor, run, "run:artifact", gone)]);
  }

  /** A link for anybody, to one of them or to all. Whoever may share the run may make one. */
  async link(actor: Actor, runId: string, { artifactId = null, expiresInSeconds }: LinkWish): Promise<ArtifactLink> {
    await this.#context.runs.require(actor, runId, "run:share");
    if (artifactId !== null) await this.#find(runId, artifactId);
    const madeAt = (await store.readClock(this.#context.database.queries)).getTime();
    const expiresAt = Date.now() + expiresInSeconds * 1000;
    const token = signLink({ runId, artifactId, userId: actor.userId, madeAt, expiresAt }, this.#secretOf);
    return { url: `${this.#context.publicUrl}/api/v1/artifact-links/${token}`, expiresAt: new Date(expiresAt).toISOString() };
  }

  /** Revokes the links that were made so far. */
  async revokeLinks(actor: Actor, runId: string): Promise<void> {
    await this.#context.runs.require(actor, runId, "run:share");
    await store.endLinks(this.#context.database.queries, runId);
  }

  /**
   * What a link leads to: an artifact, or all of the run's. It is worth as much as the right of whoever made it to read the run, now.
   *
   * @throws AppError `artifact_link_invalid`
   */
  async follow(token: string): Promise<{ readonly runId: string; readonly artifact: store.ArtifactRow | null; readonly actor: Actor }> {
    const link = readLink(token, this.#secretOf);
    if (link === null) throw new AppError("artifact_link_invalid");
    const { runId, artifactId, userId, madeAt } = link;
    try {
      const actor = await this.#context.actFor(userId);
      await this.#context.runs.require(actor, runId, "run:artifact");
      const ended = await store.findLinksEnd(this.#context.database.queries, runId);
      if (ended !== null && madeAt <= ended.getTime()) throw new AppError("artifact_link_invalid");
      return { runId, actor, artifact: artifactId === null ? null : await this.#find(runId, artifactId) };
    } catch (error) {
      throw error instanceof AppError && error.status < 500 ? new AppError("artifact_link_invalid") : error;
    }
  }

  async #find(runId: string, artifactId: string): Promise<store.ArtifactRow> {
    const row = artifactId.includes("\0") ? undefined : await store.findArtifact(this.#context.database.queries, runId, artifactId);
    if (row === undefined) throw new AppError("not_found");
    return row;
  }
}

type LinkWish = { readonly artifactId?: string | null | undefined; readonly expiresInSeconds: ArtifactLinkInput["expiresInSeconds"] };

export function toArtifact({ id, path, size, sha256, mime_type: mimeType }: store.ArtifactRow): Artifact {
  return { id, path, size, sha256, mimeType };
}
