import type { WorkspaceMirror, WorkspaceMirrorState } from "@syla/contracts/workspace-mirrors";
import type { ShownMirror } from "./store.ts";

export function presentMirror(row: ShownMirror): WorkspaceMirror {
  return {
    url: row.url,
    ref: row.ref,
    path: row.path,
    credentialId: row.credential_id,
    everyMinutes: row.every_minutes,
    createdBy: row.created_by === null ? null : { id: row.created_by, name: row.creator_name ?? "" },
    state: stateOf(row),
    commit: row.commit_id,
    changedAt: row.changed_at?.toISOString() ?? null,
    checkedAt: row.checked_at?.toISOString() ?? null,
    nextAt: row.next_at?.toISOString() ?? null,
    problem: row.problem_code === null ? null : { code: row.problem_code, message: row.problem_message ?? "", paths: row.problem_paths },
  };
}

function stateOf({ problem_code: code, next_at: nextAt }: ShownMirror): WorkspaceMirrorState {
  if (code === null) return "following";
  if (nextAt === null) return "stopped";
  return code === "workspace_conflict" ? "diverged" : "failing";
}
