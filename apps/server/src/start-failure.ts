import { AppError, type ErrorCode } from "@syla/contracts/errors";

/** Exit codes by error code, from `sysexits.h`: 78 configuration, 75 try again later, 69 unavailable, 65 what was given. All else is 70, a fault of ours. */
const exitCodes: Partial<Record<ErrorCode, number>> = {
  config_invalid: 78,
  insecure_bind: 78,
  data_dir_newer: 78,
  data_dir_unusable: 78,
  database_newer: 78,
  database_mismatch: 78,
  postgres_version: 78,
  data_dir_in_use: 75,
  database_unavailable: 69,
  storage_full: 69,
  storage_unavailable: 69,
  storage_moved: 78,
  backup_not_configured: 78,
  backup_passphrase_wrong: 78,
  backup_repository_missing: 78,
  backup_damaged: 65,
  backup_not_found: 65,
  backup_time_unreachable: 65,
  backup_repository_unavailable: 69,
  backup_repository_full: 69,
  backup_repository_foreign: 78,
  restore_target_in_use: 78,
  restore_unfinished: 78,
  port_in_use: 69,
  address_unavailable: 69,
  postgres_unavailable: 69,
};

/** What a person reads on stderr when the server does not start: one line, and the exit code. */
export function describeStartFailure(error: unknown): { line: string; exitCode: number } {
  if (!(error instanceof AppError))
    return { line: `syla: internal: ${error instanceof Error ? error.message : String(error)}`, exitCode: 70 };
  const line = `syla: ${error.code}: ${error.message} ${error.hint}`.replace(/\s*\n\s*/g, " ");
  return { line, exitCode: exitCodes[error.code] ?? 70 };
}
