import { hash } from "node:crypto";

/** An event as it is sealed: every column as the database prints it, so that nothing is lost on the way. */
export interface SealedEvent {
  readonly id: string;
  readonly at: string;
  readonly actor_id: string | null;
  readonly actor_name: string;
  readonly actor_role: string | null;
  readonly via: string;
  readonly impersonator_id: string | null;
  readonly action: string;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly outcome: string;
  readonly error_code: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly details: string;
}

/** The hash of one event: SHA-256 over a JSON array of its columns in this order. */
export function hashEvent(event: SealedEvent): string {
  const columns = [
    event.id,
    event.at,
    event.actor_id,
    event.actor_name,
    event.actor_role,
    event.via,
    event.impersonator_id,
    event.action,
    event.resource_type,
    event.resource_id,
    event.outcome,
    event.error_code,
    event.ip,
    event.user_agent,
    event.request_id,
    event.details,
  ];
  return hash("sha256", JSON.stringify(columns));
}

/** What a seal's hash is made of. */
export interface Batch {
  readonly seq: number;
  readonly previousHash: string;
  readonly eventIds: readonly string[];
  readonly eventHashes: readonly string[];
}

/** The hash of a batch, with the seal before it: a change of anything earlier changes every seal that follows. */
export function hashBatch({ seq, previousHash, eventIds, eventHashes }: Batch): string {
  return hash("sha256", JSON.stringify([seq, previousHash, eventIds, eventHashes]));
}
