import {
  type accessRoutes,
  levelCovers,
  ResourceType,
  type Access as AccessDocument,
  type AccessLevel,
  type AccessReason,
  type Grant,
  type GrantChange,
  type GrantFilter,
  type GrantInput,
  type PersonAccess,
  type ShareLinkInput,
} from "@syla/contracts/access";
import { assetTypeOf } from "@syla/contracts/asset-fields";
import { AppError } from "@syla/contracts/errors";
import type { LinkedThing } from "@syla/contracts/linked-things";
import type { RouteOutput } from "@syla/contracts/route";
import type { SpendCapInput } from "@syla/contracts/spend-caps";
import { findConfirmedUser } from "../../accounts/service.ts";
import type { Mail } from "../../deliveries/service.ts";
import { notifyEach, wasToldOften } from "../../notifications/service.ts";
import type { Database, Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { readCursor, toPage } from "../../platform/page-cursor.ts";
import { hashToken, newToken } from "../../platform/one-time-token.ts";
import type { Actor } from "../actor.ts";
import { can, higher, levelOf, teamLevel } from "../permission.ts";
import type { Access, Thing } from "../service.ts";
import { findReachingGrants, findTeamRole } from "../store.ts";
import { toGrant } from "./presenter.ts";
import { shareMail } from "./share-mail.ts";
import * as store from "./store.ts";

/** What sharing is made of. */
export interface SharingContext {
  readonly database: Database;
  readonly access: Access;
  /** Finds a thing of each type. */
  readonly things: Readonly<Record<ResourceType, (id: string) => Promise<Thing | undefined>>>;
  /** What is shown of what a link leads to, to somebody who has nothing else and may view it. */
  readonly linked: {
    readonly asset: (id: string) => Promise<LinkedThing["asset"]>;
    readonly sandbox: (id: string) => Promise<LinkedThing["sandbox"]>;
  };
  /** Whether somebody may give things to a team. */
  readonly isMember: (actor: Actor, teamId: string) => Promise<boolean>;
  readonly queueMail: (work: Work, mail: Mail) => Promise<unknown>;
  /** Whether share links are opened without signing in, as it is now. */
  readonly anonymousLinks: () => boolean;
  readonly publicUrl: string;
  /** Told of each grant as it is now, with what whoever makes it says of a cap; part of the change. @throws AppError to refuse it */
  readonly onGranted: (work: Work, grant: GrantedThing) => Promise<void>;
}

export { findHolders, lockGrants } from "./store.ts";

/** A grant on a thing, and what it may spend, where it is one that costs; `cap` undefined: nothing was said of it. */
export interface GrantedThing {
  readonly thing: Thing;
  readonly grantId: string;
  readonly level: AccessLevel;
  readonly cap: SpendCapInput | null | undefined;
  readonly by: string;
}

interface ThingRef {
  readonly resourceType: ResourceType;
  readonly resourceId: string;
}

/** Grants and share links, and who has access by them. */
export class Sharing {
  readonly #context: SharingContext;

  constructor(context: SharingContext) {
    this.#context = context;
  }

  /** What the actor may do with a thing, and why. */
  async getAccess(actor: Actor, ref: ThingRef): Promise<AccessDocument> {
    const { queries } = this.#context.database;
    const thing = await this.#find(actor, ref, "read");
    const grants = await findReachingGrants(queries, actor, thing.type, thing.id);
    const teamRole = actor.via === "link" ? null : await findTeamRole(queries, actor.userId, thing.ownerId);
    const reasons: AccessReason[] = grants.map(({ via, name, level, expires_at }) => ({
      type: via,
      level,
      name,
      teamRole: null,
      expiresAt: expires_at?.toISOString() ?? null,
    }));
    const owner = await store.findOwnerName(queries, thing.ownerId);
    const besides = (type: AccessReason["type"], level: AccessLevel, name: string | null = null) =>
      reasons.push({ type, level, name, teamRole: type === "team" ? teamRole : null, expiresAt: null });
    if (thing.ownerId === actor.userId) besides("owner", "admin");
    if (teamRole !== null) besides("team", teamLevel(thing.type, teamRole) ?? "view", owner);
    if (thing.visibility === "public") besides("public", "run");
    if (can(actor, "server:administer")) besides("admin", "admin");
    const granted = grants.reduce<AccessLevel | null>((best, grant) => higher(best, grant.level), null);
    return {
      ...ref,
      name: thing.name,
      owner: { id: thing.ownerId, name: owner },
      visibility: thing.visibility,
      level: levelOf(actor, { ...thing, level: granted, teamRole }) ?? "view",
      isOwner: thing.ownerId === actor.userId,
      anonymousLinks: this.#context.anonymousLinks(),
      reasons,
    };
  }

  async listPeople(actor: Actor, filter: GrantFilter): Promise<{ items: PersonAccess[]; nextCursor: string | null }> {
    const thing = await this.#find(actor, filter, "share");
    const page = { limit: filter.limit, after: readCursor(filter.cursor) };
    const rows = await store.listPeople(this.#context.database.queries, thing.type, thing.id, thing.ownerId, page);
    const toPerson = (row: store.PersonRow): PersonAccess => ({
      key: row.key,
      name: row.name,
      level: row.reasons.reduce<AccessLevel | null>((best, reason) => higher(best, reason.level), null) ?? "view",
      reasons: [...row.reasons],
    });
    return toPage(rows, filter.limit, (row) => row.key, toPerson);
  }

  async listGrants(actor: Actor, filter: GrantFilter): Promise<{ items: Grant[]; nextCursor: string | null }> {
    const thing = await this.#find(actor, filter, "share");
    const page = { limit: filter.limit, before: readCursor(filter.cursor, /^grant_[0-9a-z]{26}$/) };
    const rows = await store.listGrants(this.#context.database.queries, thing.type, thing.id, page);
    return toPage(
      rows,
      filter.limit,
      (row) => row.id,
      (row) => this.#show(row),
    );
  }

  async createGrant(actor: Actor, input: GrantInput): Promise<Grant> {
    const thing = await this.#find(actor, input, "share");
    checkLevel(thing, input.level);
    const expiresAt = checkExpiry(input.expiresAt);
    const subject = await this.#subject(actor, input);
    return await this.#context.database.queries.transaction().execute(async (work) => {
      const grant = await this.#insert(work, actor, thing, { ...subject, level: input.level, expiresAt }, input.cap);
      if (subject.subjectType === "email") await this.#mail(work, actor, thing, subject.subjectId);
      else await this.#tell(work, actor, thing, subject);
      return grant;
    });
  }

  async updateGrant(actor: Actor, id: string, { level, expiresAt, cap }: GrantChange): Promise<Grant> {
    const { thing, row: before } = await this.#findGrant(actor, id);
    checkLevel(thing, level);
    const change = {
      ...(level === undefined ? {} : { level }),
      ...(expiresAt === undefined ? {} : { expires_at: checkExpiry(expiresAt) }),
    };
    return await this.#context.database.queries.transaction().execute(async (work) => {
      const row = await store.changeGrant(work, id, change);
      if (row === undefined) throw new AppError("not_found");
      const isMore = !levelCovers(before.level, "run") && levelCovers(row.level, "run");
      if (isMore || cap !== undefined) await this.#context.onGranted(work, { thing, grantId: id, level: row.level, cap, by: actor.userId });
      return this.#show(row);
    });
  }

  /** Takes a grant back. Whoever it was given to may give it up. */
  async deleteGrant(actor: Actor, id: string): Promise<Grant> {
    const own = await store.findGrant(this.#context.database.queries, checkId(id));
    const isTheirs = own?.subject_type === "user" && own.subject_id === actor.userId;
    const row = isTheirs ? own : (await this.#findGrant(actor, id)).row;
    await this.#context.database.queries.transaction().execute((work) => store.deleteGrant(work, id));
    return this.#show(row);
  }

  /** The token is in this answer and nowhere else. */
  async createLink(actor: Actor, input: ShareLinkInput): Promise<NewLink> {
    const thing = await this.#find(actor, input, "share");
    checkLevel(thing, input.level);
    const expiresAt = checkExpiry(input.expiresAt);
    const { needsAccount } = input;
    return await this.#context.database.queries.transaction().execute(async (work) => {
      const { id, token } = await insertLink(work, actor, needsAccount);
      const grant = await this.#insert(
        work,
        actor,
        thing,
        { subjectType: "link", subjectId: id, level: input.level, expiresAt },
        input.cap,
      );
      return this.#showLink(grant, token);
    });
  }

  /** Makes the link of a grant anew. The token is in this answer and nowhere else. @throws AppError `not_found`, `conflict` where it has none */
  async renewLink(actor: Actor, grantId: string): Promise<NewLink> {
    const { row: before } = await this.#findGrant(actor, grantId);
    if (before.subject_type !== "link") throw new AppError("conflict", { message: "This was not granted by a link." });
    return await this.#context.database.queries.transaction().execute(async (work) => {
      const row = await store.lockGrant(work, grantId);
      if (row === undefined) throw new AppError("not_found");
      const { id, token } = await insertLink(work, actor, before.needs_account ?? false);
      await store.replaceLink(work, row, id);
      const now = await store.findGrant(work, grantId);
      if (now === undefined) throw new AppError("not_found");
      return this.#showLink(this.#show(now), token);
    });
  }

  #showLink(grant: Grant, token: string): NewLink {
    // Behind the `#` it reaches no server's log.
    return { grant, token, url: `${this.#context.publicUrl}/share#${token}`, anonymous: grant.anonymous === true };
  }

  #show(row: store.NamedGrant): Grant {
    return toGrant(row, this.#context.anonymousLinks());
  }

  /** What the link leads to by which somebody is here who is not signed in. @throws AppError `not_found` for everybody else, `share_link_invalid` */
  async getLink(actor: Actor): Promise<LinkedThing> {
    if (actor.linkId === undefined) throw new AppError("not_found", { message: "No share link was sent." });
    const grant = await store.findLinkGrant(this.#context.database.queries, actor.linkId);
    const ref = grant === undefined ? null : { resourceType: toType(grant.resource_type), resourceId: grant.resource_id };
    if (grant === undefined || ref === null) throw new AppError("share_link_invalid");
    const thing = await this.#find(actor, ref, "read");
    const { linked } = this.#context;
    return {
      ...ref,
      name: thing.name,
      level: grant.level,
      expiresAt: grant.expires_at?.toISOString() ?? null,
      asset: ref.resourceType === "asset" ? await linked.asset(thing.id) : null,
      sandbox: ref.resourceType === "sandbox" ? await linked.sandbox(thing.id) : null,
    };
  }

  /** @throws AppError `share_link_invalid` */
  async redeemLink(actor: Actor, token: string): Promise<ThingRef & { level: AccessLevel }> {
    const row = await this.#context.database.queries
      .transaction()
      .execute((work) => store.redeemLink(work, hashToken(token), actor.userId));
    if (row === undefined) throw new AppError("share_link_invalid");
    return { resourceType: toType(row.resource_type), resourceId: row.resource_id, level: row.level };
  }

  async #insert(
    work: Work,
    actor: Actor,
    thing: Thing,
    grant: Pick<store.NewGrant, "subjectType" | "subjectId" | "level" | "expiresAt">,
    cap: SpendCapInput | null | undefined,
  ): Promise<Grant> {
    const id = await store.upsertGrant(work, { ...grant, resourceType: thing.type, resourceId: thing.id, createdBy: actor.userId });
    const row = id === undefined ? undefined : await store.findGrant(work, id);
    if (row === undefined) throw new AppError("conflict", { message: "There are too many grants on this.", hint: "Take some back first." });
    await this.#context.onGranted(work, { thing, grantId: row.id, level: row.level, cap, by: actor.userId });
    return this.#show(row);
  }

  async #subject(actor: Actor, { email, teamId }: GrantInput): Promise<Pick<store.NewGrant, "subjectType" | "subjectId">> {
    if ((email === undefined) === (teamId === undefined))
      throw new AppError("invalid_request", { fields: [{ path: "email", message: "give either an e-mail address or a team" }] });
    if (email !== undefined) {
      const address = email.toLowerCase();
      const userId = await findConfirmedUser(this.#context.database.queries, address);
      return userId === undefined ? { subjectType: "email", subjectId: address } : { subjectType: "user", subjectId: userId };
    }
    if (!(await this.#context.isMember(actor, teamId ?? ""))) throw new AppError("not_found", { message: "You are in no such team." });
    return { subjectType: "team", subjectId: teamId ?? "" };
  }

  async #mail(work: Work, actor: Actor, thing: Thing, to: string): Promise<void> {
    const by = await store.findPersonName(work, actor.userId);
    await this.#context.queueMail(work, shareMail({ to, by, name: thing.name, url: this.#context.publicUrl + pageOf(thing) }));
  }

  /** Tells who has an account; the members of a team but the one who shares. */
  async #tell(
    work: Work,
    actor: Actor,
    thing: Thing,
    { subjectType, subjectId }: Pick<store.NewGrant, "subjectType" | "subjectId">,
  ): Promise<void> {
    if (await wasToldOften(work, subjectId, "share_received")) return;
    const people = subjectType === "team" ? await store.listMemberIds(work, subjectId) : [subjectId];
    const by = await store.findPersonName(work, actor.userId);
    await notifyEach(
      work,
      people.filter((id) => id !== actor.userId),
      {
        type: "share_received",
        title: `${by} has shared “${thing.name}” with you`,
        link: pageOf(thing),
        details: { resourceType: thing.type, resourceId: thing.id },
      },
    );
  }

  async #find(actor: Actor, { resourceType, resourceId }: ThingRef, what: "read" | "share"): Promise<Thing> {
    const thing = await this.#context.things[resourceType](checkId(resourceId));
    if (thing === undefined) throw new AppError("not_found");
    await this.#context.access.require(actor, `${resourceType}:${what}`, thing);
    if (what === "share" && thing.isPersonal === true)
      throw new AppError("forbidden", {
        message: "An interactive environment is not shared: it has secrets and spends money in its owner's name.",
        hint: "Share the program: everybody has an environment of their own.",
      });
    return thing;
  }

  async #findGrant(actor: Actor, id: string): Promise<{ row: store.NamedGrant; thing: Thing }> {
    const row = await store.findGrant(this.#context.database.queries, checkId(id));
    if (row === undefined) throw new AppError("not_found");
    const thing = await this.#find(actor, { resourceType: toType(row.resource_type), resourceId: row.resource_id }, "share");
    return { row, thing };
  }
}

/** What of a link's token stays readable, to tell links apart. */
const shownCharacters = 17;

/** A link as it is shown once. */
type NewLink = RouteOutput<typeof accessRoutes.createShareLink>;

async function insertLink(work: Work, actor: Actor, needsAccount: boolean): Promise<{ id: string; token: string }> {
  const { token, tokenHash } = newToken("syla_share");
  const id = newId("link");
  await store.insertShareLink(work, { id, tokenHash, start: token.slice(0, shownCharacters), createdBy: actor.userId, needsAccount });
  return { id, token };
}

/** What was shared with an address becomes the account's to which it was just confirmed to belong. Call it in the transaction that confirms. */
export async function adoptEmailGrants(work: Work, userId: string, email: string): Promise<void> {
  await store.moveEmailGrants(work, userId, email.toLowerCase());
}

/** Its page, as a path inside the product. */
function pageOf(thing: Thing): string {
  if (thing.type === "asset") return `/${assetTypeOf(thing.id) ?? "program"}s/${thing.id}`;
  return `/${{ run: "runs", sandbox: "sandboxes", workspace: "workspaces" }[thing.type]}/${thing.id}`;
}

function toType(type: string): ResourceType {
  return ResourceType.parse(type);
}

/** What is the system's is changed by administrators alone. */
function checkLevel({ ownerId }: Thing, level: AccessLevel | undefined): void {
  if (ownerId !== "system" || level === undefined || level === "view" || level === "run") return;
  throw new AppError("invalid_request", {
    message: "What belongs to the system is changed by administrators alone.",
    fields: [{ path: "level", message: "must be view or run" }],
  });
}

function checkId(id: string): string {
  if (id.includes("\0")) throw new AppError("not_found");
  return id;
}

function checkExpiry(expiresAt: string | null | undefined): Date | null {
  if (expiresAt === undefined || expiresAt === null) return null;
  const end = new Date(expiresAt);
  if (end.getTime() <= Date.now())
    throw new AppError("invalid_request", { fields: [{ path: "expiresAt", message: "must lie in the future" }] });
  return end;
}
