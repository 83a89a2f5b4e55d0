import { randomBytes } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import { Secret } from "../platform/secret.ts";
import { seal, unseal, type MasterKeys } from "./master-keys.ts";

/** What a sealed value belongs to. Swapped rows do not open. */
export interface Belonging {
  readonly id: string;
  readonly ownerId: string;
  readonly kind: string;
}

/** A value as it is stored. */
export interface Envelope {
  readonly sealed: Buffer;
  readonly dataKey: Buffer;
  readonly keyId: string;
}

function contextOf({ id, ownerId, kind }: Belonging): string {
  return JSON.stringify(["credential", id, ownerId, kind]);
}

/**
 * Seals a value with a key of its own, and that with the current master key.
 *
 * @throws AppError `kms_unavailable`, `kms_refused`
 */
export async function sealValue(keys: MasterKeys, value: Secret, belonging: Belonging): Promise<Envelope> {
  const context = contextOf(belonging);
  const dataKey = randomBytes(32);
  const sealed = seal(dataKey, Buffer.from(value.reveal()), context);
  const { keyId, wrapped } = await keys.wrap(dataKey, context);
  dataKey.fill(0);
  const envelope = { sealed, dataKey: wrapped, keyId };
  // What a key management service answered is the only way to the value: it is tried before the value is gone.
  await tryToOpen(keys, envelope, belonging);
  return envelope;
}

async function tryToOpen(keys: MasterKeys, envelope: Envelope, belonging: Belonging): Promise<void> {
  try {
    await openValue(keys, envelope, belonging);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("kms_refused", { message: "The key management service does not open what it has sealed itself." });
  }
}

/** @throws Error when the row was changed or its key is gone */
export async function openValue(keys: MasterKeys, { sealed, dataKey, keyId }: Envelope, belonging: Belonging): Promise<Secret> {
  const context = contextOf(belonging);
  const key = await keys.unwrap(keyId, dataKey, context);
  const value = new Secret(unseal(key, sealed, context).toString("utf8"));
  key.fill(0);
  return value;
}

/**
 * The same value under the current master key. It is opened once, so that no answer of a key management service that lies is taken for the key.
 *
 * @throws Error when it cannot be opened, before or after
 */
export async function rewrapEnvelope(keys: MasterKeys, { sealed, dataKey, keyId }: Envelope, belonging: Belonging): Promise<Envelope> {
  const next = await keys.rewrap(keyId, dataKey, contextOf(belonging));
  const moved = { sealed, dataKey: next.wrapped, keyId: next.keyId };
  await openValue(keys, moved, belonging);
  return moved;
}
