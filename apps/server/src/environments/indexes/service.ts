import type {
  PackageIndex,
  PackageIndexChange,
  PackageIndexFilter,
  PackageIndexInput,
  PackageIndexTest,
  PackageIndexWish,
  PackageLanguage,
} from "@syla/contracts/package-indexes";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import { isPrivateAddress } from "@syla/sandbox/egress/addresses";
import { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { can, requirePermission } from "../../access/service.ts";
import { hostProblem, type Credentials } from "../../credentials/service.ts";
import type { Database, Queries } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { readCursor, toPage } from "../../platform/page-cursor.ts";
import type { Revision } from "../../platform/revision.ts";
import type { Manager } from "../request.ts";
import { authorizationOf } from "./package-gateway.ts";
import { normalizePattern, patternProblem, type RoutedIndex } from "./routing.ts";
import * as store from "./store.ts";
import { tryIndex, type TryContext } from "./try-index.ts";

const managers: Readonly<Record<PackageLanguage, Manager>> = { python: "uv", node: "npm", go: "go" };
const languages: Readonly<Record<Manager, PackageLanguage>> = { uv: "python", npm: "node", go: "go" };
/** Of an owner, for a language: each is asked about by every build. */
const mostIndexes = 50;
const Patterns = z.array(z.string());

/** What package indexes are made of. */
export interface IndexesContext {
  readonly database: Database;
  readonly credentials: Pick<Credentials, "requireUsable" | "reveal">;
  readonly connections: TryContext;
  /** Whether it is a team, and the actor one of its owners. */
  readonly ownsTeam: (actor: Actor, teamId: string) => Promise<boolean>;
}

/** Package indexes of people, teams and the system: which packages come from where is said here, and decided by the server. */
export class Indexes {
  readonly #context: IndexesContext;

  constructor(context: IndexesContext) {
    this.#context = context;
  }

  async list(actor: Actor, filter: PackageIndexFilter): Promise<{ items: PackageIndex[]; nextCursor: string | null }> {
    const before = readCursor(filter.cursor, /^idx_[0-9a-z]{26}$/);
    if (filter.ownerId?.includes("\0") === true) return { items: [], nextCursor: null };
    const manager = filter.language === undefined ? null : managers[filter.language];
    const rows = await store.listIndexes(this.#context.database.queries, actor.userId, manager, filter, before);
    return toPage(
      rows,
      filter.limit,
      (row) => row.id,
      (row) => present(actor, row),
    );
  }

  async create(actor: Actor, input: PackageIndexInput): Promise<PackageIndex> {
    requirePermission(actor, "package_index:create");
    const ownerId = input.ownerId ?? actor.userId;
    await this.#requireOwner(actor, ownerId);
    const manager = managers[input.language];
    const { name, url, packages, credentialId } = input;
    const values = { name, url, packages, credentialId };
    await this.#check(actor, ownerId, manager, values);
    const id = newId("idx");
    await this.#alone(ownerId, async (work) => {
      const others = await othersOf(work, ownerId, manager, null);
      requireFree(manager, values, others);
      if (others.length >= mostIndexes) throw new AppError("too_many_indexes");
      await store.insertIndex(work, { ...values, id, ownerId, manager, createdBy: actor.userId });
    });
    return present(actor, await this.#find(actor, id, "package_index:read"));
  }

  /** Asks an index that is not stored, or not so, for a package: the one that is named, or the first that a pattern is the whole name of. */
  async test(actor: Actor, wish: PackageIndexWish): Promise<PackageIndexTest> {
    requirePermission(actor, "package_index:create");
    const { language, url, packages, credentialId } = wish;
    const ownerId = wish.ownerId ?? actor.userId;
    await this.#requireOwner(actor, ownerId);
    const named = wish.package === undefined ? packages : [wish.package, ...packages];
    await this.#check(actor, ownerId, managers[language], { name: "", url, packages: named, credentialId });
    return await tryIndex(this.#context.connections, {
      language,
      url,
      package: named.find((pattern) => !pattern.endsWith("*")) ?? null,
      authorization: () => this.#authorization(credentialId, url),
      isNamed: ownerId === "system",
    });
  }

  /** @throws AppError `revision_conflict` when it is not that revision any more */
  async update(actor: Actor, id: string, change: PackageIndexChange, revision: Revision = "*"): Promise<PackageIndex> {
    const row = await this.#find(actor, id, "package_index:manage");
    const checked = changed(row, change);
    await this.#check(actor, row.owner_id, row.manager, checked);
    await this.#alone(row.owner_id, async (work) => {
      const now = await store.findIndex(work, id, actor.userId);
      if (now === undefined) throw new AppError("not_found");
      if (revision !== "*" && now.revision !== revision)
        throw new AppError("revision_conflict", { details: { current: present(actor, now) } });
      const values = changed(now, change);
      if (values.url !== checked.url || values.credentialId !== checked.credentialId)
        throw new AppError("conflict", { message: "Somebody else has changed it at the same time.", hint: "Look at it, and try again." });
      requireFree(row.manager, values, await othersOf(work, row.owner_id, row.manager, id));
      await store.changeIndex(work, id, values);
    });
    return present(actor, await this.#find(actor, id, "package_index:read"));
  }

  async delete(actor: Actor, id: string): Promise<void> {
    await this.#find(actor, id, "package_index:manage");
    await store.deleteIndex(this.#context.database.queries, id);
  }

  /** Whose indexes a program of an owner is built with: the owner's and the system's, the system's, or none but the server's own (null). */
  async scopeOf(ownerId: string, manager: Manager): Promise<string | null> {
    const rows = await store.indexesOf(this.#context.database.queries, ownerId, manager);
    if (rows.some((row) => row.owner_id === ownerId)) return ownerId;
    return rows.length > 0 ? "system" : null;
  }

  /** What a scope means now. */
  async ofScope(scope: string, manager: Manager): Promise<RoutedIndex[]> {
    const rows = await store.indexesOf(this.#context.database.queries, scope, manager);
    return rows.map(({ id, name, url, packages, credential_id: credentialId, owner_id: owner }) => ({
      id,
      name,
      url,
      packages: Patterns.parse(packages),
      credentialId,
      isShared: owner === "system",
    }));
  }

  async #alone<T>(ownerId: string, change: (work: Queries) => Promise<T>): Promise<T> {
    return await this.#context.database.queries.transaction().execute(async (work) => {
      await store.lockIndexesOf(work, ownerId);
      return await change(work);
    });
  }

  /** What can be said without the other indexes. @throws AppError `invalid_request`, `credential_unusable` */
  async #check(actor: Actor, ownerId: string, manager: Manager, values: store.IndexValues): Promise<void> {
    const problems: FieldProblem[] = values.packages.flatMap((pattern, place) => {
      const message = patternProblem(manager, pattern);
      return message === null ? [] : [{ path: `packages.${place}`, message }];
    });
    const urlMessage = urlProblem(values);
    if (urlMessage !== null) problems.push({ path: "url", message: urlMessage });
    if (problems.length > 0) throw new AppError("invalid_request", { fields: problems });
    if (values.credentialId !== null)
      await this.#context.credentials.requireUsable(actor, values.credentialId, {
        kind: "index",
        ownerId,
        url: values.url,
        path: "credentialId",
      });
  }

  async #authorization(credentialId: string | null, url: string): Promise<string | null> {
    if (credentialId === null) return null;
    const revealed = await this.#context.credentials.reveal(credentialId, "index");
    const problem = hostProblem(revealed.host, url);
    if (problem !== null) throw new AppError("credential_unusable", { message: `The credential ${problem}.` });
    return authorizationOf(revealed);
  }

  async #requireOwner(actor: Actor, ownerId: string): Promise<void> {
    if (ownerId === actor.userId) return;
    if (ownerId === "system" && can(actor, "system:own")) return;
    if (await this.#context.ownsTeam(actor, ownerId)) return;
    throw new AppError("not_found", {
      message: "You own no such team.",
      fields: [{ path: "ownerId", message: "is not a team that you own" }],
    });
  }

  async #find(actor: Actor, id: string, action: "package_index:read" | "package_index:manage"): Promise<store.IndexRow> {
    const row = id.includes("\0") ? undefined : await store.findIndex(this.#context.database.queries, id, actor.userId);
    if (row === undefined) throw new AppError("not_found");
    requirePermission(actor, action, resourceOf(row));
    return row;
  }
}

/** What an index is after a change. */
function changed(row: store.IndexRow, change: PackageIndexChange): store.IndexValues {
  const { name = row.name, url = row.url, packages = Patterns.parse(row.packages), credentialId = row.credential_id } = change;
  return { name, url, packages, credentialId };
}

async function othersOf(work: Queries, ownerId: string, manager: Manager, own: string | null): Promise<store.OtherIndex[]> {
  return (await store.indexesOf(work, ownerId, manager)).filter((row) => row.owner_id === ownerId && row.id !== own);
}

/** @throws AppError `conflict` */
function requireFree(manager: Manager, { name, packages }: store.IndexValues, others: readonly store.OtherIndex[]): void {
  const wanted = packages.map((pattern) => normalizePattern(manager, pattern));
  for (const other of others) {
    if (other.name === name) throw nameTaken();
    const taken = new Set(Patterns.parse(other.packages).map((pattern) => normalizePattern(manager, pattern)));
    const place = wanted.findIndex((pattern) => taken.has(pattern));
    if (place >= 0)
      throw new AppError("conflict", {
        message: `The packages ${packages[place]} come from the index ${other.name} already.`,
        hint: "Each package comes from one index: change that one, or say it in more detail.",
        fields: [{ path: `packages.${place}`, message: "is taken" }],
      });
  }
}

function resourceOf(row: store.IndexRow) {
  const level = row.owner_id === "system" ? ("view" as const) : null;
  const ownerId = row.owner_id === "system" ? null : row.owner_id; // administered by administrators, seen by everybody
  return { type: "package_index", id: row.id, ownerId, teamRole: row.team_role, visibility: "private", level } as const;
}

function present(actor: Actor, row: store.IndexRow): PackageIndex {
  return {
    id: row.id,
    owner: { id: row.owner_id, name: row.owner_name ?? (row.owner_id === "system" ? "System" : row.owner_id) },
    language: languages[row.manager],
    name: row.name,
    url: row.url,
    packages: Patterns.parse(row.packages),
    credentialId: row.credential_id,
    mayManage: can(actor, "package_index:manage", resourceOf(row)),
    revision: row.revision,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

function urlProblem({ url, credentialId }: store.IndexValues): string | null {
  const { username, password, search, hash, protocol, hostname } = new URL(url);
  if (username !== "" || password !== "") return "holds a password; keep that as a credential";
  if (search !== "" || hash !== "") return "must end with its path";
  // Where nobody but the machine's own network can listen, that is the operator's to judge.
  const isLocal = hostname === "localhost" || isPrivateAddress(hostname.replace(/^\[|\]$/g, ""));
  if (credentialId !== null && protocol === "http:" && !isLocal) return "must begin with https:// when there is a credential";
  return null;
}

function nameTaken(): AppError {
  return new AppError("conflict", {
    message: "There is a package index of this name already.",
    hint: "Choose another name.",
    fields: [{ path: "name", message: "is taken" }],
  });
}
