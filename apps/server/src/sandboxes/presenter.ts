import type { LinkedSandbox } from "@syla/contracts/linked-things";
import { LimitsInput, Limits, Tier } from "@syla/contracts/runs";
import { Sandbox } from "@syla/contracts/sandboxes";
import { SandboxSaved, SandboxWorkspace } from "@syla/contracts/sandboxes/workspace";
import { SandboxStartError } from "@syla/contracts/sandboxes/program";
import type { SandboxFile } from "@syla/contracts/sandboxes/files";
import type { FileEntry } from "@syla/sandbox/session";
import type { LiveSandbox } from "./live-sandbox.ts";
import { readPolicy } from "./network.ts";
import { ProgramFacts } from "./program.ts";
import type { SandboxRow } from "./store.ts";

/** A row as it is shown, with what only this server knows of it while it lives. */
export function toSandbox(
  row: SandboxRow,
  live: LiveSandbox | undefined,
  phase: Sandbox["phase"] = null,
  saved: Sandbox["saved"] = null,
): Sandbox {
  const lastActive = live === undefined ? row.last_active_at.getTime() : live.lastActive;
  const waits = row.status === "running" && live !== undefined && !live.inUse;
  return {
    id: row.id,
    name: row.name,
    ownerId: row.owner_id,
    program: row.program === null ? null : toProgram(row.program),
    workspace: row.workspace === null ? null : SandboxWorkspace.parse(row.workspace),
    saved: saved ?? (row.saved === null ? null : SandboxSaved.parse(row.saved)),
    phase: row.status === "starting" ? phase : null,
    status: row.status,
    pauseReason: row.pause_reason,
    pausedBy: row.paused_by,
    language: row.language,
    tier: Tier.parse(row.tier),
    network: readPolicy(row.network),
    idleTimeoutMs: row.idle_timeout_ms,
    onIdle: row.on_idle,
    createdAt: row.created_at.toISOString(),
    lastActiveAt: new Date(lastActive).toISOString(),
    idleAt: waits ? new Date(lastActive + row.idle_timeout_ms).toISOString() : null,
    expiresAt: row.expires_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    endReason: Sandbox.shape.endReason.parse(row.end_reason),
    error: row.error === null ? null : SandboxStartError.parse(row.error),
    requestedLimits: LimitsInput.parse(row.requested_limits),
    limits: row.limits === null ? null : Limits.parse(row.limits),
  };
}

/** A row as a link shows it. */
export function toLinked(row: SandboxRow): LinkedSandbox {
  return {
    status: row.status,
    language: row.language,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

function toProgram(facts: unknown): NonNullable<Sandbox["program"]> {
  const { fingerprint: _fingerprint, ...program } = ProgramFacts.parse(facts);
  return program;
}

/** A path as text, and its bytes where the text is not exact. */
export function toPath(bytes: Buffer): { path: string; pathBase64: string | null } {
  const path = bytes.toString();
  return { path, pathBase64: Buffer.from(path).equals(bytes) ? null : bytes.toString("base64") };
}

export function toFile(entry: FileEntry): SandboxFile {
  const { kind, size, mode, modifiedMs, target } = entry;
  const path = toPath(entry.path);
  return {
    ...path,
    name: path.path.replace(/\/+$/, "").split("/").at(-1) ?? path.path,
    kind,
    size,
    mode,
    modifiedAt: new Date(modifiedMs).toISOString(),
    target: target === null ? null : target.toString(),
  };
}
