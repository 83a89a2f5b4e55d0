import { ResourceType, type Grant } from "@syla/contracts/access";
import type { NamedGrant } from "./store.ts";

/** A grant as it is shown. `anonymousLinks`: whether links are opened without signing in, as it is now. */
export function toGrant(row: NamedGrant, anonymousLinks: boolean): Grant {
  return {
    id: row.id,
    resourceType: ResourceType.parse(row.resource_type),
    resourceId: row.resource_id,
    subject: {
      type: row.subject_type === "user" || row.subject_type === "email" ? "person" : row.subject_type,
      name: row.subject_name,
      teamId: row.subject_type === "team" ? row.subject_id : null,
    },
    level: row.level,
    createdAt: row.created_at.toISOString(),
    createdBy: row.creator_name,
    expiresAt: row.expires_at?.toISOString() ?? null,
    useCount: row.use_count,
    anonymous: row.needs_account === null ? null : anonymousLinks && !row.needs_account,
  };
}
