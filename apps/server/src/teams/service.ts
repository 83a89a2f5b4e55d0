import { AppError } from "@syla/contracts/errors";
import type { Team, TeamChange, TeamFilter, TeamInvitation, TeamMember, TeamRole } from "@syla/contracts/teams";
import type { Actor } from "../access/actor.ts";
import { can, requirePermission, type Resource } from "../access/service.ts";
import type { Ownership } from "../catalog/service.ts";
import { findConfirmedUser } from "../accounts/service.ts";
import type { Mail } from "../deliveries/service.ts";
import { notify } from "../notifications/service.ts";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { hashToken, newToken } from "../platform/one-time-token.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import { settling } from "../quotas/service.ts";
import { invitationMail } from "./invitation-mail.ts";
import { slugOf, toInvitation, toMember, toTeam } from "./presenter.ts";
import * as store from "./store.ts";

const invitationDays = 7;
const mostInvitations = 200;

/** What teams are made of. */
export interface TeamsContext {
  readonly database: Database;
  readonly queueMail: (work: Work, mail: Mail) => Promise<unknown>;
  readonly publicUrl: string;
  /** What a team may have at once has changed. */
  readonly onLimitChanged: () => Promise<void>;
  /** What the catalog does with a team's assets. */
  readonly assets: Ownership;
}

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
interface PageQuery {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Teams: who is in them, and who decides that. */
export class Teams {
  readonly #context: TeamsContext;

  constructor(context: TeamsContext) {
    this.#context = context;
  }

  async list(actor: Actor, filter: TeamFilter): Promise<Page<Team>> {
    if (filter.owner === "all") requirePermission(actor, "team:list-all");
    const page = { limit: filter.limit, after: readCursor(filter.cursor) };
    const rows = await store.listTeams(this.#context.database.queries, actor.userId, filter.owner === "all", page);
    return toPage(rows, filter.limit, (row) => row.id, toTeam);
  }

  async create(actor: Actor, { name, description }: { name: string; description: string }): Promise<Team> {
    requirePermission(actor, "team:create");
    const id = newId("team");
    const team = { id, name, description, slug: slugOf(name, id), createdBy: actor.userId };
    await this.#transaction((work) => store.insertTeam(work, team));
    return await this.get(actor, id);
  }

  async get(actor: Actor, id: string): Promise<Team> {
    return toTeam(await this.#find(actor, id, "team:read"));
  }

  async update(actor: Actor, id: string, { name, description, concurrentRuns, leastTier }: TeamChange): Promise<Team> {
    await this.#find(actor, id, "team:manage");
    if (concurrentRuns !== undefined) requirePermission(actor, "team:limit");
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(concurrentRuns === undefined ? {} : { concurrent_runs: concurrentRuns }),
      ...(leastTier === undefined ? {} : { least_tier: leastTier }),
    };
    await store.changeTeam(this.#context.database.queries, id, change);
    if (concurrentRuns !== undefined) await this.#context.onLimitChanged();
    return await this.get(actor, id);
  }

  /** `transferTo`: who gets what it owns. @throws AppError `team_owns_assets` */
  async delete(actor: Actor, id: string, transferTo?: string): Promise<void> {
    await this.#find(actor, id, "team:manage");
    const heir = transferTo === undefined ? null : await this.#heir(actor, id, transferTo);
    const remove = async (work: Work) => {
      await store.lockOwners(work, id);
      const count = await this.#context.assets.count(work, id);
      if (heir !== null) await this.#context.assets.handOver(work, id, heir);
      else if (count > 0)
        throw new AppError("team_owns_assets", {
          message: `The team owns ${count === 1 ? "one asset" : `${count} assets`}.`,
          details: { count },
        });
      else await this.#context.assets.remove(work, id);
      await store.deleteTeam(work, id);
    };
    const storers = await this.#context.assets.storers(this.#context.database.queries, id);
    await this.#transaction((work) => settling(work, heir === null ? storers : [...storers, heir], () => remove(work)));
  }

  async #heir(actor: Actor, id: string, to: string): Promise<string> {
    if (to === "me" || to === actor.userId) return actor.userId;
    if (to !== id && to.startsWith("team_") && (await this.isMember(actor, to))) return to;
    throw new AppError("not_found", {
      message: "You are in no such team.",
      fields: [{ path: "query.transferTo", message: "is none of yours" }],
    });
  }

  /** What goes when the team is deleted. */
  async countGrants(actor: Actor, id: string): Promise<{ runs: number; sandboxes: number; assets: number; ownedAssets: number }> {
    await this.#find(actor, id, "team:manage");
    const { queries } = this.#context.database;
    return { ...(await store.countGrants(queries, id)), ownedAssets: await this.#context.assets.count(queries, id) };
  }

  /** Whether somebody may give things to a team. */
  async isMember(actor: Actor, id: string): Promise<boolean> {
    const row = id.includes("\0") ? undefined : await store.findTeam(this.#context.database.queries, id, actor.userId);
    return row !== undefined && can(actor, "team:read", resourceOf(row));
  }

  /** Whether it is a team that the actor is in, and may act for in what concerns all of it. */
  async isOwner(actor: Actor, id: string): Promise<boolean> {
    const row = id.includes("\0") ? undefined : await store.findTeam(this.#context.database.queries, id, actor.userId);
    return row !== undefined && row.role !== null && can(actor, "team:manage", resourceOf(row));
  }

  async listMembers(actor: Actor, id: string, query: PageQuery): Promise<Page<TeamMember>> {
    await this.#find(actor, id, "team:read");
    const page = { limit: query.limit, after: readCursor(query.cursor) };
    return toPage(await store.listMembers(this.#context.database.queries, id, page), query.limit, (row) => row.user_id, toMember);
  }

  /** @throws AppError `last_owner` */
  async setRole(actor: Actor, id: string, userId: string, role: TeamRole): Promise<TeamMember> {
    await this.#find(actor, id, "team:manage");
    return await this.#transaction(async (work) => {
      const member = await this.#lockMember(work, id, userId, role === "member");
      await store.setMemberRole(work, id, member.user_id, role);
      return toMember({ ...member, role });
    });
  }

  /** Removes a member; who removes themselves (`me`) leaves. @throws AppError `last_owner` */
  async removeMember(actor: Actor, id: string, userId: string): Promise<string> {
    const leaving = userId === "me" || userId === actor.userId;
    await this.#find(actor, id, leaving ? "team:read" : "team:manage");
    return await this.#transaction(async (work) => {
      const member = await this.#lockMember(work, id, leaving ? actor.userId : userId, true);
      await store.removeMember(work, id, member.user_id);
      return member.user_id;
    });
  }

  async listInvitations(actor: Actor, id: string, query: PageQuery): Promise<Page<TeamInvitation>> {
    await this.#find(actor, id, "team:manage");
    const page = { limit: query.limit, after: readCursor(query.cursor) };
    return toPage(await store.listInvitations(this.#context.database.queries, id, page), query.limit, (row) => row.id, toInvitation);
  }

  /** The link is in this answer, in the e-mail, and nowhere else. */
  async invite(actor: Actor, id: string, input: { email: string; role: TeamRole }): Promise<{ invitation: TeamInvitation; url: string }> {
    const team = await this.#find(actor, id, "team:manage");
    const { token, tokenHash } = newToken("syla_invite");
    const url = `${this.#context.publicUrl}/teams/join#${token}`;
    const email = input.email.toLowerCase();
    const expiresAt = new Date(Date.now() + invitationDays * 86_400_000);
    const row = await this.#transaction(async (work) => {
      await store.lockOwners(work, id);
      if ((await store.countOpenInvitations(work, id)) >= mostInvitations)
        throw new AppError("conflict", { message: "There are too many open invitations.", hint: "Take some back first." });
      const invitation = { id: newId("inv"), email, teamId: id, role: input.role, tokenHash, invitedBy: actor.userId, expiresAt };
      const inserted = await store.insertInvitation(work, invitation);
      const by = await store.findUserName(work, actor.userId);
      await this.#context.queueMail(work, invitationMail({ to: email, by, team: team.name, url, days: invitationDays }));
      await tellInvited(work, email, { by, team: team.name, invitationId: inserted.id });
      return inserted;
    });
    return { invitation: toInvitation(row), url };
  }

  async revokeInvitation(actor: Actor, id: string, invitationId: string): Promise<void> {
    await this.#find(actor, id, "team:manage");
    if (invitationId.includes("\0") || !(await store.revokeInvitation(this.#context.database.queries, id, invitationId)))
      throw new AppError("not_found");
  }

  /** @throws AppError `invitation_invalid` */
  async join(actor: Actor, invited: Invited): Promise<Team> {
    const teamId = await this.#transaction((work) => joinByInvitation(work, actor.userId, invited));
    return await this.get(actor, teamId);
  }

  #transaction<T>(work: (work: Work) => Promise<T>): Promise<T> {
    return this.#context.database.queries.transaction().execute(work);
  }

  /** A member, with the team's owners as they stay until the transaction ends. */
  async #lockMember(work: Work, id: string, userId: string, losesOwner: boolean): Promise<store.MemberRow> {
    const owners = await store.lockOwners(work, id);
    const member = userId.includes("\0") ? undefined : await store.findMember(work, id, userId);
    if (member === undefined) throw new AppError("not_found");
    if (losesOwner && member.role === "owner" && owners <= 1) throw new AppError("last_owner");
    return member;
  }

  async #find(actor: Actor, id: string, action: "team:read" | "team:manage"): Promise<store.TeamRow> {
    const row = id.includes("\0") ? undefined : await store.findTeam(this.#context.database.queries, id, actor.userId);
    if (row === undefined) throw new AppError("not_found");
    requirePermission(actor, action, resourceOf(row));
    return row;
  }
}

function resourceOf({ id, role }: Pick<store.TeamRow, "id" | "role">): Resource {
  return { type: "team", id, ownerId: null, teamRole: role, visibility: "private", level: null };
}

/** Whoever has the token of an invitation, or the address that it was sent to. */
type Invited = { readonly token: string } | { readonly invitationId: string };

/**
 * Uses an invitation up and makes the person a member.
 *
 * @returns the team's id
 * @throws AppError `invitation_invalid`
 */
async function joinByInvitation(work: Work, userId: string, invited: Invited): Promise<string> {
  const invitation =
    "token" in invited
      ? await store.takeInvitation(work, hashToken(invited.token))
      : invited.invitationId.includes("\0")
        ? undefined
        : await store.takeInvitationTo(work, invited.invitationId, userId);
  if (invitation?.team_id == null) throw new AppError("invitation_invalid");
  await store.addMember(work, invitation.team_id, userId, invitation.team_role ?? "member");
  return invitation.team_id;
}

/** Who has an account with the address is told there as well. The token is in the mail alone: there, being signed in is proof enough. */
async function tellInvited(
  work: Work,
  email: string,
  { by, team, invitationId }: { by: string; team: string; invitationId: string },
): Promise<void> {
  const userId = await findConfirmedUser(work, email);
  if (userId === undefined) return;
  const link = `/teams/join?invitation=${invitationId}`;
  await notify(work, { userId, type: "team_invitation", title: `${by} invites you to the team “${team}”`, body: "", link });
}
