import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import type { Queries } from "../platform/database.ts";
import { openConfiguredRepository, type RepositoryConfig } from "./open.ts";
import type { Repository } from "./repository/repository.ts";
import { noteRepository, readRepository } from "./store.ts";

const Noted = z.object({ id: z.string(), place: z.string() });

/**
 * The repository of an installation, opened once and kept open. The database knows its id: a folder in whose place there is another one, or none, is a
 * disk that is not mounted, and nothing is written there.
 */
export class KnownRepository {
  readonly #config: RepositoryConfig;
  readonly #queries: Queries;
  #opening: Promise<Repository> | undefined;

  constructor(config: RepositoryConfig, queries: Queries) {
    this.#config = config;
    this.#queries = queries;
  }

  get isConfigured(): boolean {
    return this.#config.backupTo !== undefined;
  }

  /** As it is configured. */
  get place(): string | null {
    return this.#config.backupTo ?? null;
  }

  /** @throws AppError `backup_not_configured`, `backup_passphrase_wrong`, `backup_repository_…` */
  async open(mayMake: boolean): Promise<Repository> {
    const opening = (this.#opening ??= this.#open(mayMake));
    try {
      const repository = await opening;
      if (await repository.isThere()) return repository;
      repository.close();
      throw isGone(repository.place);
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    (await this.#opening?.catch(() => undefined))?.close();
  }

  async #open(mayMake: boolean): Promise<Repository> {
    const noted = Noted.safeParse(await readRepository(this.#queries)).data;
    const isSamePlace = noted !== undefined && noted.place === this.place;
    try {
      const repository = await openConfiguredRepository(this.#config, mayMake && !isSamePlace);
      if (isSamePlace && repository.id !== noted.id) {
        repository.close();
        throw new AppError("backup_repository_foreign");
      }
      if (!isSamePlace && mayMake) await noteRepository(this.#queries, { id: repository.id, place: this.place ?? repository.place });
      return repository;
    } catch (error) {
      const isMissing = error instanceof AppError && error.code === "backup_repository_missing";
      throw isMissing && isSamePlace ? isGone(noted.place) : error;
    }
  }
}

function isGone(place: string): AppError {
  return new AppError("backup_repository_foreign", { message: `The repository that was in ${place} is not there.` });
}
