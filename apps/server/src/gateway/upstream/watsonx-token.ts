import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { AppError } from "@syla/contracts/errors";
import { Secret } from "../../platform/secret.ts";
import { readText, type Send } from "./send.ts";

/** A token is not used in the last minutes of its life. */
const marginMs = 300_000;
const tokens = new LRUCache<string, { readonly token: Secret; readonly until: number }>({ max: 1000 });

/**
 * watsonx takes tokens, which last an hour and are got for the key.
 *
 * @throws AppError `model_credential_refused`, `model_unreachable`
 */
export async function exchangeKey(send: Send, baseUrl: string, key: Secret, signal: AbortSignal): Promise<Secret> {
  const id = hash("sha256", `${baseUrl} ${key.reveal()}`);
  const known = tokens.get(id);
  if (known !== undefined && known.until > Date.now()) return known.token;
  const isCloud = new URL(baseUrl).hostname.endsWith(".cloud.ibm.com");
  const answer = await send({
    method: "POST",
    url: isCloud ? "https://iam.cloud.ibm.com/identity/token" : `${baseUrl.replace(/\/+$/, "")}/identity/token`,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({ grant_type: "urn:ibm:params:oauth:grant-type:apikey", apikey: key.reveal() }).toString(),
    signal,
  });
  const text = await readText(answer.body);
  if (answer.status !== 200) throw new AppError("model_credential_refused");
  const { access_token: token, expires_in: seconds } = parse(text);
  if (typeof token !== "string") throw new AppError("model_garbled");
  const found = {
    token: new Secret(token),
    until: Date.now() + Math.max(0, (typeof seconds === "number" ? seconds : 0) * 1000 - marginMs),
  };
  tokens.set(id, found);
  return found.token;
}

function parse(text: string): { access_token?: unknown; expires_in?: unknown } {
  try {
    return JSON.parse(text) as { access_token?: unknown };
  } catch {
    throw new AppError("model_garbled");
  }
}
