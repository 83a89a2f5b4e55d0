import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "./secret.ts";

/** How far the time in a signed message may be from now. */
const toleranceSeconds = 300;
const prefix = "whsec_";

/** What a secret is for. */
export type SecretPurpose = "notification" | "webhook" | "trigger" | "artifacts";

/** Secrets that are derived from the server's own, so that they are kept nowhere; of each thing the newest one and those before it. */
export type DeriveSecret = (purpose: SecretPurpose, id: string, generation: number) => string;

/** Servers that share a database need the same `serverSecret`. */
export function createDeriveSecret(serverSecret: Secret): DeriveSecret {
  return (purpose, id, generation) =>
    prefix + createHmac("sha256", serverSecret.reveal()).update(`${purpose} secret ${id} ${generation}`).digest("base64");
}

/** A message as it is signed. */
export interface SignedMessage {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string | Uint8Array;
}

/**
 * The headers of a signed message; with several secrets, one signature each: whoever knows one of them can check it.
 * Source: the Standard Webhooks specification, "Signature scheme" (symmetric).
 */
export function signedHeaders(secrets: readonly string[], message: SignedMessage): Record<string, string> {
  return {
    "webhook-id": message.id,
    "webhook-timestamp": String(message.timestamp),
    "webhook-signature": secrets.map((secret) => `v1,${mac(secret, message).toString("base64")}`).join(" "),
  };
}

/** Whether one of the signatures is by one of the secrets. */
export function isSigned(secrets: readonly string[], message: SignedMessage, signatures: string): boolean {
  const given = signatures
    .split(" ")
    .filter((signature) => signature.startsWith("v1,"))
    .map((signature) => Buffer.from(signature.slice("v1,".length), "base64"));
  const expected = secrets.map((secret) => mac(secret, message));
  return expected.some((one) => given.some((other) => isEqual(one, other)));
}

/** Whether a message was signed a short while ago; the clocks of two machines are never quite the same. */
export function isFresh(timestamp: number, nowMs = Date.now()): boolean {
  return Math.abs(nowMs / 1000 - timestamp) <= toleranceSeconds;
}

/** Compares in a time that tells nothing of where they differ. */
export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function mac(secret: string, { id, timestamp, body }: SignedMessage): Buffer {
  const key = Buffer.from(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret, "base64");
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
}
