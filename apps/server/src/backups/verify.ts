import { hash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import { contentPieces, listContent, partOf, readBlob, type KeptBlob } from "./content.ts";
import { ownPieces, type Manifest } from "./manifest.ts";
import { logSegments } from "./physical/log-archive.ts";
import type { Piece, Repository } from "./repository/repository.ts";

const mostProblems = 100;

/** What is wrong with a backup. */
export interface VerifyReport {
  objects: number;
  bytes: number;
  problems: string[];
  problemCount: number;
}

interface Verification {
  readonly repository: Repository;
  readonly report: VerifyReport;
  readonly deep: boolean;
  readonly signal: AbortSignal | undefined;
  /** The sizes of the objects of pieces that nobody has looked at yet. */
  readonly there: Map<string, number>;
  readonly looked: Set<string>;
}

/**
 * Looks whether everything that a backup names is there and as large as it was; with `deep`, reads all of it and compares the hashes. What was put in
 * another's place, cut short or changed does not open. Pieces that are damaged are moved out of the way, so that the next backup writes them again:
 * nothing else may write to the repository meanwhile.
 */
export async function verifyBackup(
  repository: Repository,
  manifest: Manifest,
  { deep, report, signal }: { readonly deep: boolean; readonly report: VerifyReport; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const there = await repository.listPieces(signal);
  const verification: Verification = { repository, report, deep, signal, there, looked: new Set() };
  const lists = new Set(manifest.content.pieces.map(({ sha256 }) => sha256));
  let isListed = true;
  for (const piece of ownPieces(manifest)) isListed = ((await verifyPiece(verification, piece)) || !lists.has(piece.sha256)) && isListed;
  if (!isListed) complain(report, "the list of the content is damaged: what it names was not looked at");
  else
    await attempt(report, async () => {
      for await (const blob of listContent(repository, manifest.content)) await verifyBlob(verification, blob);
    });
  if (manifest.physical !== null) await verifyLog(verification, manifest.physical);
}

/** Whether it is whole, as far as it was looked at. */
async function verifyPiece(verification: Verification, { sha256, sealed }: Piece): Promise<boolean> {
  const { repository, deep, report } = verification;
  const name = repository.pieceName(sha256);
  if (verification.looked.has(name)) return true;
  if (!(await look(verification, name, sealed))) return false;
  if (!deep) return true;
  const isWhole = await attempt(report, async () => {
    if (hash("sha256", await repository.getPiece(sha256)) !== sha256)
      throw new AppError("backup_damaged", { message: `The piece ${sha256} is not what it was.` });
  });
  if (!isWhole) await repository.setPieceAside(name);
  return isWhole;
}

async function verifyBlob(verification: Verification, blob: KeptBlob): Promise<void> {
  const { repository, deep, report, signal } = verification;
  const pieces = contentPieces(repository, blob);
  let areThere = true;
  for (const { name, sealed } of pieces) areThere = (await look(verification, name, sealed)) && areThere;
  if (!deep || !areThere) return;
  const isWhole = await attempt(report, async () => {
    const bytes = readBlob(repository, blob);
    while ((await bytes.next()).done !== true) signal?.throwIfAborted();
  });
  if (isWhole) return;
  const damaged = [];
  for (const [part, { name }] of pieces.entries()) if (!(await opens(repository, partOf(blob.sha256, part)))) damaged.push(name);
  const all = pieces.map(({ name }) => name);
  for (const name of damaged.length > 0 ? damaged : all) await repository.setPieceAside(name);
}

/** Whether an object is there and as large as it was. */
async function look({ repository, report, signal, there, looked }: Verification, name: string, sealed: number): Promise<boolean> {
  signal?.throwIfAborted();
  looked.add(name);
  report.objects += 1;
  report.bytes += sealed;
  const size = there.get(name);
  if (size === sealed) return true;
  const object = `data/${name.slice(0, 2)}/${name}`;
  complain(report, size === undefined ? `${object} is missing` : `${object} has ${size} bytes, not ${sealed}`);
  if (size !== undefined) await repository.setPieceAside(name);
  return false;
}

/** The log has to go on from where the cluster was copied, without a gap. */
async function verifyLog(
  { repository, report, deep, signal }: Verification,
  { systemId, firstSegment }: NonNullable<Manifest["physical"]>,
): Promise<void> {
  const { segments, gap } = await logSegments(repository, systemId, firstSegment);
  if (gap !== null) complain(report, `the segment ${gap} of the database's log is missing`);
  for (const name of segments) {
    signal?.throwIfAborted();
    report.objects += 1;
    if (deep) await attempt(report, async () => void (await repository.getNamed(name)));
  }
}

async function opens(repository: Repository, identity: string): Promise<boolean> {
  return await attempt(newVerifyReport(), async () => void (await repository.getPiece(identity)));
}

/** Whether what is read is whole; what is wrong with it is reported. */
async function attempt(report: VerifyReport, read: () => Promise<void>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "backup_damaged") throw error;
    complain(report, error.message);
    return false;
  }
}

function complain(report: VerifyReport, problem: string): void {
  report.problemCount += 1;
  if (report.problems.length < mostProblems) report.problems.push(problem);
}

export function newVerifyReport(): VerifyReport {
  return { objects: 0, bytes: 0, problems: [], problemCount: 0 };
}
