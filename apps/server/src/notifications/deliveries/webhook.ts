import { createHmac } from "node:crypto";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { createAddressRules, type AddressRules } from "@syla/sandbox/egress/addresses";
import { createResolve, type Resolve } from "@syla/sandbox/egress/resolve";
import type { Secret } from "../../platform/secret.ts";
import type { WebhookMessage } from "./message.ts";

const timeoutMs = 10_000;

/** Sends signed webhooks. */
export interface Webhooks {
  /** What the person checks signatures with: derived, so that it is kept nowhere. */
  secretOf(userId: string, generation: number): string;
  /** Why an address may not be used; null when it may. Names are looked up. */
  refusal(url: string): Promise<string | null>;
  /** @throws Error that says what went wrong */
  send(userId: string, deliveryId: string, message: WebhookMessage): Promise<void>;
}

/** `allowPrivate`: networks that may be reached although they are private. */
export function createWebhooks(serverSecret: Secret, allowPrivate: readonly string[], resolve: Resolve = createResolve()): Webhooks {
  const rules = createAddressRules(allowPrivate);
  const secretOf = (userId: string, generation: number) =>
    `whsec_${createHmac("sha256", serverSecret.reveal()).update(`notification webhook ${userId} ${generation}`).digest("base64url")}`;
  return {
    secretOf,
    async refusal(url) {
      const { hostname, port } = addressOf(url);
      try {
        const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
        return refusalOf(rules, addresses, port);
      } catch {
        return `the name ${hostname} has no address`;
      }
    },
    async send(userId, deliveryId, { url, generation, payload }) {
      const body = JSON.stringify({ ...payload, deliveryId });
      const timestamp = Math.floor(Date.now() / 1000);
      const signature = createHmac("sha256", secretOf(userId, generation)).update(`${timestamp}.${body}`).digest("hex");
      await post(url, rules, resolve, body, {
        "content-type": "application/json",
        "user-agent": "Syla-Webhooks/1",
        "syla-delivery": deliveryId,
        "syla-timestamp": String(timestamp),
        "syla-signature": `sha256=${signature}`,
      });
    },
  };
}

function addressOf(url: string): { hostname: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) };
}

function refusalOf(rules: AddressRules, addresses: readonly string[], port: number): string | null {
  for (const address of addresses) {
    const refusal = rules.refusal(address, port);
    if (refusal !== null) return `${address} is refused: ${refusal}`;
  }
  return null;
}

/** Sends it to an address that was looked up and checked in the same step; redirections are not followed. */
async function post(url: string, rules: AddressRules, resolve: Resolve, body: string, headers: Record<string, string>): Promise<void> {
  const { hostname, port } = addressOf(url);
  if (isIP(hostname) !== 0) {
    const refused = refusalOf(rules, [hostname], port);
    if (refused !== null) throw new Error(refused);
  }
  const lookup: LookupFunction = (host, options, callback) => {
    const answer = (addresses: readonly string[]): void => {
      const refused = refusalOf(rules, addresses, port);
      if (refused !== null) return callback(new Error(refused), "", 4);
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      if (options.all === true) callback(null, found);
      else callback(null, found[0]?.address ?? "", found[0]?.family ?? 4);
    };
    resolve(host).then(answer, (error: Error) => callback(error, "", 4));
  };
  const status = await new Promise<number>((settle, reject) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp;
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = send(url, {
      method: "POST",
      agent: false,
      lookup,
      signal,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
    });
    outgoing.once("response", (response) => {
      settle(response.statusCode ?? 0);
      response.destroy(); // only the status counts
    });
    outgoing.once("error", (error) => reject(signal.aborted ? new Error("no answer within 10 s") : error));
    outgoing.end(body);
  });
  if (status < 200 || status > 299) throw new Error(`it answered with ${status}`);
}
