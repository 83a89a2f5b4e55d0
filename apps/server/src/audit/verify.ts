import type { AuditProblem, AuditVerification } from "@syla/contracts/audit";
import type { Selectable } from "kysely";
import type { Queries } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";
import { hashBatch, hashEvent } from "./chain.ts";
import { countBySeal, findAdded, findSealedEvents, listSeals, readChain } from "./store.ts";

type SealRow = Selectable<Schema["audit_seals"]>;

const sealsAtOnce = 20;

/** Checks every seal and every event from the anchor to the head, in order, and names the first that is not as it was sealed. */
export async function verifyTrail(queries: Queries): Promise<AuditVerification> {
  return await queries
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (work) => {
      const chain = await readChain(work);
      const counts = await countBySeal(work);
      const anchor = { seal: chain.anchor_seq, hash: chain.anchor_hash };
      const head = { seal: chain.head_seq, hash: chain.head_hash };
      const { problem, events, seals } = await walk(work, anchor, head, counts);
      return { ok: problem === null, problem, events, seals, unsealed: counts.get(0) ?? 0, anchor, head };
    });
}

type Link = AuditVerification["anchor"];

async function walk(queries: Queries, anchor: Link, head: Link, counts: Map<number, number>) {
  let before = anchor;
  let events = 0;
  for (;;) {
    const batch = await listSeals(queries, before.seal, sealsAtOnce);
    const rows = await findSealedEvents(
      queries,
      batch.flatMap((seal) => seal.event_ids),
    );
    const known = new Map(rows.map((row) => [row.id, row]));
    for (const seal of batch) {
      const problem =
        checkLink(seal, before, head) ?? checkEvents(seal, known) ?? (await checkCount(queries, seal, counts)) ?? checkHash(seal);
      if (problem !== null) return { problem, events, seals: before.seal - anchor.seal };
      before = { seal: seal.seq, hash: seal.hash };
      events += seal.event_ids.length;
      counts.delete(seal.seq);
    }
    if (batch.length < sealsAtOnce) break;
  }
  return { problem: checkEnd(before, head) ?? (await checkStrays(queries, counts)), events, seals: before.seal - anchor.seal };
}

function checkLink(seal: SealRow, before: Link, head: Link): AuditProblem | null {
  const next = before.seal + 1;
  if (seal.seq > head.seal) return sealProblem("seal_added", seal.seq, "comes after the end of the chain");
  if (seal.seq !== next) return sealProblem("seal_missing", next, "is missing");
  if (seal.previous_hash !== before.hash) return sealProblem("seal_changed", seal.seq, "does not follow from the one before it");
  return null;
}

function checkEvents(seal: SealRow, known: ReadonlyMap<string, Awaited<ReturnType<typeof findSealedEvents>>[number]>): AuditProblem | null {
  for (const [index, id] of seal.event_ids.entries()) {
    const event = known.get(id);
    if (event === undefined) return eventProblem("event_missing", seal.seq, id, "is missing");
    if (event.seal_seq !== seal.seq || hashEvent(event) !== seal.event_hashes[index])
      return eventProblem("event_changed", seal.seq, id, "is not as it was sealed");
  }
  return null;
}

async function checkCount(queries: Queries, seal: SealRow, counts: ReadonlyMap<number, number>): Promise<AuditProblem | null> {
  if (counts.get(seal.seq) === seal.event_ids.length) return null;
  const id = await findAdded(queries, seal.seq, seal.event_ids);
  return id === undefined ? null : eventProblem("event_added", seal.seq, id, "was added afterwards");
}

function checkHash(seal: SealRow): AuditProblem | null {
  const { seq, previous_hash: previousHash, event_ids: eventIds, event_hashes: eventHashes } = seal;
  const agrees = seal.count === eventIds.length && hashBatch({ seq, previousHash, eventIds, eventHashes }) === seal.hash;
  return agrees ? null : sealProblem("seal_changed", seq, "is not as it was made");
}

function checkEnd(last: Link, head: Link): AuditProblem | null {
  if (last.seal < head.seal) return sealProblem("seal_missing", last.seal + 1, "is missing");
  return last.hash === head.hash ? null : sealProblem("seal_changed", last.seal, "is not the one that ends the chain");
}

/** Events that say they are in a seal that there is not. */
async function checkStrays(queries: Queries, counts: ReadonlyMap<number, number>): Promise<AuditProblem | null> {
  const [seal] = [...counts.keys()].filter((seq) => seq !== 0).toSorted((a, b) => a - b);
  if (seal === undefined) return null;
  const id = await findAdded(queries, seal, []);
  return id === undefined ? null : eventProblem("event_added", seal, id, "was added afterwards");
}

function sealProblem(kind: AuditProblem["kind"], seal: number, what: string): AuditProblem {
  return { kind, seal, eventId: null, message: `Seal ${seal} ${what}.` };
}

function eventProblem(kind: AuditProblem["kind"], seal: number, eventId: string, what: string): AuditProblem {
  return { kind, seal, eventId, message: `The event ${eventId} of seal ${seal} ${what}.` };
}
