import type { Team, TeamInvitation, TeamMember } from "@syla/contracts/teams";
import type { InvitationRow, MemberRow, TeamRow } from "./store.ts";

export function toTeam(row: TeamRow): Team {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    description: row.description,
    createdAt: row.created_at.toISOString(),
    memberCount: row.member_count,
    concurrentRuns: row.concurrent_runs,
    leastTier: row.least_tier,
    yourRole: row.role,
  };
}

export function toMember(row: MemberRow): TeamMember {
  return { userId: row.user_id, name: row.name, email: row.email, role: row.role, joinedAt: row.created_at.toISOString() };
}

export function toInvitation(row: InvitationRow): TeamInvitation {
  return {
    id: row.id,
    email: row.email,
    role: row.team_role ?? "member",
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}

/** The part of a team's address that people can read; its end makes it unique. */
export function slugOf(name: string, id: string): string {
  const words = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, "");
  return `${words === "" ? "team" : words}-${id.slice(-8)}`;
}
