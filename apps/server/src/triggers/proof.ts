import { createHmac, hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { TriggerAuth } from "@syla/contracts/triggers";
import { isEqual, isFresh, isSigned } from "../platform/standard-webhooks.ts";

/** What a genuine call names itself; null: it has no name, and each is a call of its own. */
export interface Proof {
  readonly deliveryId: string | null;
  /** Nobody but the sender could have chosen the name. */
  readonly isNameSigned: boolean;
}

/** Why a call is not taken for genuine. */
export type Unproved = "missing" | "wrong" | "too_old";

/** Checks a call by the secrets of its trigger, in a time that tells nothing of them. */
export function prove(auth: TriggerAuth, secrets: readonly string[], headers: IncomingHttpHeaders, body: Uint8Array): Proof | Unproved {
  switch (auth) {
    case "standard":
      return proveStandard(secrets, headers, body);
    case "github":
      return proveGithub(secrets, headers, body);
    case "bearer":
      return proveBearer(secrets, headers);
  }
}

function proveStandard(secrets: readonly string[], headers: IncomingHttpHeaders, body: Uint8Array): Proof | Unproved {
  const [id, time, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => single(headers, name));
  if (id === null || time === null || signatures === null || id === undefined || time === undefined || signatures === undefined)
    return "missing";
  if (!isName(id) || !/^\d{1,12}$/.test(time)) return "wrong";
  const timestamp = Number(time);
  if (!isSigned(secrets, { id, timestamp, body }, signatures)) return "wrong";
  return isFresh(timestamp) ? { deliveryId: id, isNameSigned: true } : "too_old";
}

/** Source: GitHub's documentation, "Validating webhook deliveries": the key is the text of the secret. */
function proveGithub(secrets: readonly string[], headers: IncomingHttpHeaders, body: Uint8Array): Proof | Unproved {
  const [signature, id] = [single(headers, "x-hub-signature-256"), single(headers, "x-github-delivery")];
  // GitHub names every delivery: without a name a call could be made again at will.
  if (signature === null || id === null) return "missing";
  const given = Buffer.from(/^sha256=([0-9a-f]{64})$/i.exec(signature)?.[1] ?? "", "hex");
  const isGenuine = secrets.map((secret) => isEqual(given, createHmac("sha256", secret).update(body).digest())).includes(true);
  if (!isGenuine || !isName(id)) return "wrong";
  return { deliveryId: id, isNameSigned: false };
}

function proveBearer(secrets: readonly string[], headers: IncomingHttpHeaders): Proof | Unproved {
  const token = /^Bearer +(\S{1,512})$/i.exec(single(headers, "authorization") ?? "")?.[1];
  const id = single(headers, "idempotency-key") ?? single(headers, "webhook-id");
  if (token === undefined) return "missing";
  const given = hash("sha256", token, "buffer");
  if (!secrets.map((secret) => isEqual(given, hash("sha256", secret, "buffer"))).includes(true) || (id !== null && !isName(id)))
    return "wrong";
  return { deliveryId: id, isNameSigned: true };
}

function single(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === "string" ? value : null;
}

function isName(id: string): boolean {
  return /^[\u0021-\u007e]{1,128}$/.test(id);
}
