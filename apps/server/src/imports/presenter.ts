import type { Analysis } from "@syla/contracts/analysis";
import { ImportProblem } from "@syla/contracts/import-problem";
import { ImportConfirmation, ImportSuggestion, type Import } from "@syla/contracts/imports";
import { z } from "zod";
import { columnParser } from "../platform/column-parser.ts";
import type { ImportRow } from "./store.ts";

/** Where an import comes from, as it is stored: never with a credential. */
export const StoredSource = z.object({
  kind: z.enum(["files", "archive", "git", "template", "clone"]),
  name: z.string().nullable().default(null),
  ref: z.string().nullable().default(null),
  path: z.string().nullable().default(null),
  commit: z.string().nullable().default(null),
  version: z.string().nullable().default(null),
  credentialId: z.string().nullable().default(null),
  /** A token was given, which is gone with the process that had it. */
  hadToken: z.boolean().default(false),
});
export type StoredSource = z.infer<typeof StoredSource>;

const StoredError = z.object({ code: z.string(), message: z.string(), hint: z.string() });
export const sources = columnParser<StoredSource>(StoredSource);
export const suggestions = columnParser<ImportSuggestion>(ImportSuggestion);
export const confirmations = columnParser<ImportConfirmation>(ImportConfirmation);

/** What is shown besides the row. */
export interface ImportFacts {
  readonly analysis: Analysis | null;
  readonly diff: Import["diff"];
}

/** Something is being done about it; in the other states it waits for somebody, or has ended. */
export function isWorking(state: ImportRow["state"]): boolean {
  return state === "fetching" || state === "analysing" || state === "creating";
}

export function toImport(row: ImportRow, { analysis, diff }: ImportFacts): Import {
  const { kind, name, ref, path, commit } = sources.parse(row.source);
  return {
    id: row.id,
    state: row.state,
    source: { kind, name, ref, path, commit },
    assetId: row.asset_id,
    folder: row.folder,
    phase: isWorking(row.state) ? row.phase : null,
    progress: { files: row.files, bytes: row.bytes },
    problems: ImportProblem.array().parse(row.problems),
    secrets: (analysis?.secrets ?? []).map(({ file, line, reason }) => ({ path: file, line, reason })),
    slots: (analysis?.slots ?? []).map(({ qualifiedName, file, line, callable, reason }) => ({
      name: qualifiedName,
      file,
      line,
      callable,
      reason,
    })),
    suggestion: row.suggestion === null ? null : suggestions.parse(row.suggestion),
    diff,
    error: row.error === null ? null : StoredError.parse(row.error),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}
