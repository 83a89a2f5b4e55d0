import { EnvironmentError, EnvironmentPackage, type Environment, type EnvironmentSummary } from "@syla/contracts/environments";
import { z } from "zod";
import { columnParser } from "../platform/column-parser.ts";
import type { EnvironmentRow } from "./store.ts";

const packageLists = columnParser<EnvironmentPackage[]>(z.array(EnvironmentPackage));
const dependencyLists = columnParser<string[]>(z.array(z.string()));

/** What is known of an environment besides its row. */
export interface Standing {
  readonly isHere: boolean;
  /** The server still has the version of the language that it is for. */
  readonly isCurrent: boolean;
  /** It was asked for, and waits for its turn or is being built. */
  readonly isWaiting: boolean;
  readonly warmth: EnvironmentSummary["warmth"];
}

export function toSummary(row: EnvironmentRow, { isHere, isCurrent, isWaiting, warmth }: Standing): EnvironmentSummary {
  return {
    id: row.id,
    state: isWaiting ? "building" : row.state === "ready" && !isCurrent ? "stale" : row.state,
    phase: row.phase,
    manager: row.manager,
    language: row.language,
    runtimeVersion: row.runtime_version,
    platform: row.platform,
    source: row.source,
    dependencies: dependencyLists.parse(row.dependencies),
    isHere,
    warmth,
    isLocked: row.lock_sha256 !== null,
    packageCount: packageLists.parse(row.packages).length,
    size: row.size,
    error: row.error === null || isWaiting ? null : EnvironmentError.parse(row.error),
    buildCount: row.build_count,
    buildMs: row.build_ms,
    createdAt: row.created_at.toISOString(),
    builtAt: row.built_at?.toISOString() ?? null,
    usedAt: row.used_at.toISOString(),
  };
}

export function toEnvironment(row: EnvironmentRow, standing: Standing, programCount: number): Environment {
  return { ...toSummary(row, standing), packages: packageLists.parse(row.packages), programCount, hasLog: row.log_sha256 !== null };
}
