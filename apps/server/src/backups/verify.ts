import { hash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import { contentPieces, listContent, readBlob } from "./content.ts";
import { ownPieces, type Manifest } from "./manifest.ts";
import { logSegments } from "./physical/log-archive.ts";
import type { Repository } from "./repository/repository.ts";

const mostProblems = 100;

/** What is wrong with a backup. */
export interface VerifyReport {
  objects: number;
  bytes: number;
  problems: string[];
  problemCount: number;
}

/**
 * Looks whether everything that a backup names is there and as large as it was; with `deep`, reads all of it and compares the hashes. What was put in
 * another's place, cut short or changed does not open.
 */
export async function verifyBackup(
  repository: Repository,
  manifest: Manifest,
  options: { readonly deep: boolean; readonly report: VerifyReport; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { deep, report, signal } = options;
  const there = await repository.listPieces(signal);
  const complain = (problem: string) => {
    report.problemCount += 1;
    if (report.problems.length < mostProblems) report.problems.push(problem);
  };
  const look = (name: string, sealed: number): boolean => {
    signal?.throwIfAborted();
    report.objects += 1;
    report.bytes += sealed;
    const size = there.get(name);
    if (size === sealed) return true;
    complain(
      size === undefined
        ? `data/${name.slice(0, 2)}/${name} is missing`
        : `data/${name.slice(0, 2)}/${name} has ${size} bytes, not ${sealed}`,
    );
    return false;
  };
  const attempt = async (read: () => Promise<void>) => {
    try {
      await read();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "backup_damaged") throw error;
      complain(error.message);
    }
  };
  for (const { sha256, sealed } of ownPieces(manifest)) {
    const isThere = look(repository.pieceName(sha256), sealed);
    if (!deep || !isThere) continue;
    await attempt(async () => {
      if (hash("sha256", await repository.getPiece(sha256)) !== sha256) complain(`the piece ${sha256} is not what it was`);
    });
  }
  await attempt(async () => {
    for await (const blob of listContent(repository, manifest.content)) {
      const areThere = contentPieces(repository, blob).map(({ name, sealed }) => look(name, sealed));
      if (!deep || areThere.includes(false)) continue;
      await attempt(async () => {
        for await (const _bytes of readBlob(repository, blob)) signal?.throwIfAborted();
      });
    }
  });
  if (manifest.physical !== null) await verifyLog(repository, manifest.physical, deep, { report, complain, attempt });
}

/** The log has to go on from where the cluster was copied, without a gap. */
async function verifyLog(
  repository: Repository,
  { systemId, firstSegment }: NonNullable<Manifest["physical"]>,
  deep: boolean,
  {
    report,
    complain,
    attempt,
  }: {
    readonly report: VerifyReport;
    readonly complain: (problem: string) => void;
    readonly attempt: (read: () => Promise<void>) => Promise<void>;
  },
): Promise<void> {
  const { segments, gap } = await logSegments(repository, systemId, firstSegment);
  if (gap !== null) complain(`the segment ${gap} of the database's log is missing`);
  for (const name of segments) {
    report.objects += 1;
    if (deep) await attempt(async () => void (await repository.getNamed(name)));
  }
}

export function newVerifyReport(): VerifyReport {
  return { objects: 0, bytes: 0, problems: [], problemCount: 0 };
}
