import type {
  Credential,
  CredentialChange,
  CredentialFilter,
  CredentialInput,
  CredentialKind,
  CredentialUse,
  KeyRotation,
} from "@syla/contracts/credentials";
import { hasHost } from "@syla/contracts/credentials";
import { AppError } from "@syla/contracts/errors";
import { isHostOf } from "@syla/contracts/credential-host";
import type { Actor } from "../access/actor.ts";
import { can, requirePermission } from "../access/service.ts";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import { Secret } from "../platform/secret.ts";
import { isRevision, type Revision } from "../platform/revision.ts";
import { openValue, rewrapEnvelope, sealValue, type Belonging, type Envelope } from "./envelope.ts";
import type { MasterKeys } from "./master-keys.ts";
import * as store from "./store.ts";

export { seal, unseal } from "./master-keys.ts";

/** Credentials that are looked at together when keys change. */
const rewrapAtOnce = 100;
/** A change of keys may come between sealing or reading and what is done then; this often in a row it does not. */
const mostAttempts = 5;

/** What credentials are made of. */
export interface CredentialsContext {
  readonly database: Database;
  readonly keys: MasterKeys;
  /** Whether it is a team, and the actor one of its owners. */
  readonly ownsTeam: (actor: Actor, teamId: string) => Promise<boolean>;
}

/** A secret that is about to be used. */
export interface RevealedCredential {
  readonly id: string;
  readonly ownerId: string;
  readonly username: string | null;
  /** The only one that it is sent to; null for kinds that go where the thing says that uses them. */
  readonly host: string | null;
  readonly value: Secret;
}

/** Secrets of people, teams and the system. Values go in and are used; nobody can read them. */
export class Credentials {
  readonly #context: CredentialsContext;

  constructor(context: CredentialsContext) {
    this.#context = context;
  }

  async list(actor: Actor, filter: CredentialFilter): Promise<{ items: Credential[]; nextCursor: string | null }> {
    const viewer = { userId: actor.userId, seesSystem: can(actor, "system:own") };
    const before = readCursor(filter.cursor, /^cred_[0-9a-z]{26}$/);
    if (filter.ownerId?.includes("\0") === true) return { items: [], nextCursor: null };
    const rows = await store.listCredentials(this.#context.database.queries, viewer, filter, before);
    return toPage(
      rows,
      filter.limit,
      (row) => row.id,
      (row) => toCredential(actor, row),
    );
  }

  async create(actor: Actor, input: CredentialInput): Promise<Credential> {
    requirePermission(actor, "credential:create");
    const ownerId = input.ownerId ?? actor.userId;
    await this.#requireOwner(actor, ownerId);
    const { kind, name, username, host = null } = input;
    const id = newId("cred");
    const value = readValue(kind, input.value);
    const expiresAt = checkExpiry(input.expiresAt);
    const row = { id, ownerId, kind, name, username, host, expiresAt, createdBy: actor.userId };
    const isNew = await this.#sealed(value, { id, ownerId, kind }, (work, envelope) =>
      store.insertCredential(work, { ...row, ...envelope }),
    );
    if (!isNew) throw nameTaken();
    return await this.get(actor, id);
  }

  async get(actor: Actor, id: string): Promise<Credential & { uses: CredentialUse[] }> {
    const row = await this.#find(actor, id, "credential:read");
    return { ...toCredential(actor, row), uses: await store.listUses(this.#context.database.queries, id) };
  }

  /** @throws AppError `revision_conflict` when it is not that revision any more */
  async update(actor: Actor, id: string, change: CredentialChange, revision: Revision = "*"): Promise<Credential> {
    const row = await this.#find(actor, id, "credential:manage");
    if (change.host !== undefined && !hasHost(row.kind as CredentialKind))
      throw new AppError("invalid_request", { fields: [{ path: "host", message: "is for credentials of the kinds git and index" }] });
    const value = change.value === undefined ? undefined : readValue(row.kind, change.value);
    const belonging = { id, ownerId: row.owner_id, kind: row.kind };
    const changes: store.CredentialChanges = {
      ...(change.name === undefined ? {} : { name: change.name }),
      ...(change.username === undefined ? {} : { username: change.username }),
      ...(change.host === undefined ? {} : { host: change.host }),
      ...(change.expiresAt === undefined ? {} : { expiresAt: checkExpiry(change.expiresAt) }),
    };
    const save = async (work: Work, envelope?: Envelope) => {
      if (!(await isRevision(work, "credentials", id, revision))) return "changed before";
      return await store.changeCredential(work, id, row.owner_id, { ...changes, ...(envelope !== undefined && { envelope }) });
    };
    const { queries } = this.#context.database;
    const isChanged = await (value === undefined
      ? queries.transaction().execute((work) => save(work))
      : this.#sealed(value, belonging, save));
    const current = await this.get(actor, id);
    if (isChanged === "changed before") throw new AppError("revision_conflict", { details: { current } });
    if (!isChanged) throw nameTaken();
    return current;
  }

  /** @throws AppError `credential_in_use` */
  async delete(actor: Actor, id: string, force: boolean): Promise<void> {
    await this.#find(actor, id, "credential:manage");
    await this.#context.database.queries.transaction().execute(async (work) => {
      await store.lockCredential(work, id);
      const uses = await store.listUses(work, id);
      if (uses.length > 0 && !force) throw new AppError("credential_in_use", { details: { uses } });
      await store.deleteCredential(work, id);
    });
  }

  /**
   * Whether the credential may be used: by the actor, for a thing of this owner, and where it is for one host, sent to this address.
   *
   * @throws AppError `credential_unusable` at `path`
   */
  async requireUsable(
    actor: Actor,
    id: string,
    {
      kind,
      ownerId,
      url,
      path,
      action = "credential:use",
    }: { kind: CredentialKind; ownerId?: string; url?: string; path: string; action?: "credential:use" | "credential:manage" },
  ): Promise<void> {
    const row = await this.#find(actor, id, action).catch(() => undefined);
    const problem =
      row === undefined
        ? "there is no such credential of yours"
        : row.kind !== kind
          ? `is of the kind ${row.kind}, not ${kind}`
          : ownerId !== undefined && row.owner_id !== ownerId
            ? "belongs to somebody else than what uses it"
            : url === undefined
              ? null
              : hostProblem(row.host, url);
    if (problem !== null) throw new AppError("credential_unusable", { fields: [{ path, message: problem }] });
  }

  /**
   * The secret itself, for the code that sends it away: the model gateway, git, an index, a registry, the start of a run.
   *
   * @throws AppError `credential_missing`, `credential_expired`, `credential_unreadable`, `kms_unavailable`, `kms_refused`
   */
  async reveal(id: string, kind: CredentialKind): Promise<RevealedCredential> {
    const { queries } = this.#context.database;
    let before: Buffer | undefined;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const row = id.includes("\0") ? undefined : await store.takeCredential(queries, id);
      if (row === undefined || row.kind !== kind) throw new AppError("credential_missing", { details: { credentialId: id } });
      if (row.expires_at !== null && row.expires_at <= new Date())
        throw new AppError("credential_expired", { details: { credentialId: id } });
      // Its key may have gone while it was read; then it has another one by now.
      if (before?.equals(row.data_key) === true) break;
      before = row.data_key;
      const value = await this.#open(row);
      if (value === null) continue;
      await store.noteUse(queries, id);
      return { id, ownerId: row.owner_id, username: row.username, host: row.host, value };
    }
    throw new AppError("credential_unreadable", { details: { credentialId: id } });
  }

  /** Null: it does not open. What the cause says could be what was found in place of the value. @throws AppError `kms_unavailable`, `kms_refused` */
  async #open(row: store.SealedRow): Promise<Secret | null> {
    try {
      return await openValue(this.#context.keys, toEnvelope(row), toBelonging(row));
    } catch (error) {
      if (error instanceof AppError) throw error;
      return null;
    }
  }

  /** Seals a value and stores it, while the key that sealed it stays. */
  async #sealed<T>(value: Secret, belonging: Belonging, save: (work: Work, envelope: Envelope) => Promise<T>): Promise<T> {
    const { database, keys } = this.#context;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      // Sealed outside of the transaction: a key management service may take its time.
      const envelope = await sealValue(keys, value, belonging);
      const saved = await database.queries.transaction().execute(async (work) => {
        await store.holdKeys(work);
        return keys.holds(envelope.keyId) ? { value: await save(work, envelope) } : null;
      });
      if (saved !== null) return saved.value;
    }
    throw new AppError("conflict", { message: "The keys are being changed.", hint: "Try again in a moment." });
  }

  /**
   * Seals every credential with the current master key; a new one, unless some are sealed with another yet: then a change was cut off, or the keys
   * are kept elsewhere from now on. Old keys go when nothing needs them.
   *
   * @throws AppError `kms_unavailable`, `kms_refused`; what was done stays done
   */
  async rotateKeys(): Promise<KeyRotation> {
    const { database, keys } = this.#context;
    await database.queries.transaction().execute(async (work) => {
      await store.lockKeys(work);
      const current = await keys.currentId();
      const used = await store.listKeyIds(work);
      if (used.every((id) => id === current)) await keys.beginRotation();
    });
    const unreadable = new Set<string>();
    const retired: string[] = [];
    let rewrapped = 0;
    // What was being sealed meanwhile is moved in another round; so is everything when somebody else makes another key.
    for (let round = 0; ; round += 1) {
      rewrapped += await this.#rewrapAll(await keys.currentId(), unreadable);
      const keyId = await database.queries.transaction().execute(async (work) => {
        await store.lockKeys(work);
        const current = await keys.currentId();
        retired.push(...(await keys.endRotation(new Set(await store.listKeyIds(work)))));
        const isLeft = await store.isSealedOtherwise(work, current, [...unreadable]);
        return isLeft && round < mostAttempts ? null : current;
      });
      if (keyId !== null) return { keyId, rewrapped, retired, unreadable: [...unreadable] };
    }
  }

  /** @returns how many were sealed anew; what was changed meanwhile is left as it is */
  async #rewrapAll(keyId: string, unreadable: Set<string>): Promise<number> {
    const { queries } = this.#context.database;
    let moved = 0;
    let after = "";
    for (;;) {
      const rows = await store.listSealedOtherwise(queries, keyId, after, rewrapAtOnce);
      for (const row of rows) {
        after = row.id;
        const next = await this.#rewrap(row);
        if (next === null) {
          // It may have been moved by somebody else, and its key be gone: then it has another one now.
          const now = await store.takeCredential(queries, row.id);
          if (now?.data_key.equals(row.data_key) === true) unreadable.add(row.id);
        } else if (next.keyId !== row.key_id && (await store.saveRewrapped(queries, row.id, row.data_key, next))) moved += 1;
      }
      if (rows.length < rewrapAtOnce) return moved;
    }
  }

  async #rewrap(row: store.SealedRow): Promise<Envelope | null> {
    try {
      return await rewrapEnvelope(this.#context.keys, toEnvelope(row), toBelonging(row));
    } catch (error) {
      if (error instanceof AppError) throw error;
      return null;
    }
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

  async #find(actor: Actor, id: string, action: "credential:read" | "credential:use" | "credential:manage"): Promise<store.CredentialRow> {
    const row = id.includes("\0") ? undefined : await store.findCredential(this.#context.database.queries, id, actor.userId);
    if (row === undefined) throw new AppError("not_found");
    requirePermission(actor, action, resourceOf(row));
    return row;
  }
}

/** What keeps a credential from being sent to an address. */
export function hostProblem(host: string | null, url: string): string | null {
  if (host === null) return "names no host that it may be sent to: replace its value and name one";
  return isHostOf(host, url) ? null : `is for ${host}, and is sent nowhere else`;
}

function toEnvelope({ sealed, data_key: dataKey, key_id: keyId }: store.SealedRow): Envelope {
  return { sealed, dataKey, keyId };
}

function toBelonging({ id, owner_id: ownerId, kind }: store.SealedRow): Belonging {
  return { id, ownerId, kind };
}

function resourceOf(row: store.CredentialRow) {
  // What is the system's is administered: nobody else has anything of it.
  const ownerId = row.owner_id === "system" ? null : row.owner_id;
  return { type: "credential", id: row.id, ownerId, teamRole: row.team_role, visibility: "private", level: null } as const;
}

function toCredential(actor: Actor, row: store.CredentialRow): Credential {
  return {
    id: row.id,
    kind: row.kind as CredentialKind,
    name: row.name,
    username: row.username,
    host: row.host,
    owner: { id: row.owner_id, name: row.owner_name ?? (row.owner_id === "system" ? "System" : row.owner_id) },
    mayManage: can(actor, "credential:manage", resourceOf(row)),
    useCount: row.use_count,
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    valueChangedAt: row.value_changed_at.toISOString(),
    revision: row.revision,
    createdAt: row.created_at.toISOString(),
  };
}

/** What a value may be that is sent in a header, and what git is told of a login: a line. */
const sentValues: Readonly<Record<string, { readonly pattern: RegExp; readonly message: string }>> = {
  git: { pattern: /^[\u0021-\u007e]{1,4096}$/, message: "must be a token or a password: letters, digits and signs" },
  index: { pattern: /^[^\u0000-\u001f\u007f]+$/, message: "must be one line without control characters" },
  model: { pattern: /^[\u0020-\u007e]+$/, message: "must be one line of letters, digits and signs: it is sent in a header" },
};

/** @throws AppError `invalid_request` for one that cannot be sent */
function readValue(kind: string, text: string): Secret {
  const value = trimValue(text);
  const sent = sentValues[kind];
  if (sent === undefined || sent.pattern.test(value)) return new Secret(value);
  throw new AppError("invalid_request", { fields: [{ path: "value", message: sent.message }] });
}

/** Files and prompts end in a line end that is no part of the secret. A key file needs its own. */
function trimValue(value: string): string {
  return value.includes("-----BEGIN ") ? value : value.replace(/\r?\n$/, "");
}

function checkExpiry(text: string | null): Date | null {
  if (text === null) return null;
  const at = new Date(text);
  if (at <= new Date()) throw new AppError("invalid_request", { fields: [{ path: "expiresAt", message: "must be in the future" }] });
  return at;
}

function nameTaken(): AppError {
  return new AppError("conflict", {
    message: "There is a credential of this name already.",
    hint: "Choose another name, or replace the value of that one.",
    fields: [{ path: "name", message: "is taken" }],
  });
}
