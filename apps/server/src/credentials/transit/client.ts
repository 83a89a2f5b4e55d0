import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import { Secret } from "../../platform/secret.ts";

/** How a transit engine is reached, as HashiCorp Vault and OpenBao have it. */
export interface TransitTarget {
  /** Without a slash at its end. */
  readonly url: string;
  readonly namespace: string | undefined;
  /** A token, or a role that one is got with. */
  readonly login: { readonly token: Secret } | { readonly roleId: string; readonly secretId: Secret };
  /** For one request, answer included. */
  readonly timeoutMs: number;
}

/** The service says that what it was asked to open is none of its, or has been changed. */
class NotSealedHereError extends Error {
  override readonly name = "NotSealedHereError";
}

const mostAnswerBytes = 64 * 1024;
/** A token is not used in the last part of its life. */
const usedShare = 0.8;
const Failure = z.object({ errors: z.array(z.string()) });
const Login = z.object({ auth: z.object({ client_token: z.string().min(1), lease_duration: z.number() }) });

/** Asks a transit engine. Redirections are not followed: the token goes to no other address. */
export class TransitClient {
  readonly #target: TransitTarget;
  #token: { readonly value: Secret; readonly until: number } | null = null;
  #loggingIn: Promise<Secret> | null = null;

  constructor(target: TransitTarget) {
    this.#target = target;
  }

  /** @throws AppError `kms_unavailable`, `kms_refused`; NotSealedHereError */
  async ask<T>(path: string, body: object, answer: z.ZodType<T>): Promise<T> {
    const { login } = this.#target;
    const token = await this.#currentToken();
    try {
      return await this.#post(path, body, answer, token);
    } catch (error) {
      // A token may have been revoked before its time; a role gets another one.
      if (!(error instanceof AppError) || error.code !== "kms_refused" || "token" in login) throw error;
      if (this.#token?.value === token) this.#token = null;
      return await this.#post(path, body, answer, await this.#currentToken());
    }
  }

  async #currentToken(): Promise<Secret> {
    const { login } = this.#target;
    if ("token" in login) return login.token;
    if (this.#token !== null && this.#token.until > Date.now()) return this.#token.value;
    // Those who come meanwhile wait for the same one.
    this.#loggingIn ??= this.#logIn(login.roleId, login.secretId).finally(() => (this.#loggingIn = null));
    return await this.#loggingIn;
  }

  async #logIn(roleId: string, secretId: Secret): Promise<Secret> {
    const body = { role_id: roleId, secret_id: secretId.reveal() };
    const { auth } = await this.#post("auth/approle/login", body, Login, null);
    const value = new Secret(auth.client_token);
    // Zero: it does not end.
    const lifeMs = auth.lease_duration === 0 ? Number.POSITIVE_INFINITY : auth.lease_duration * 1000 * usedShare;
    this.#token = { value, until: Date.now() + lifeMs };
    return value;
  }

  async #post<T>(path: string, body: object, answer: z.ZodType<T>, token: Secret | null): Promise<T> {
    const { url, namespace, timeoutMs } = this.#target;
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${url}/v1/${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-vault-request": "true",
          ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
          ...(token === null ? {} : { "x-vault-token": token.reveal() }),
        },
        body: JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      status = response.status;
      text = await readBounded(response);
    } catch (error) {
      throw unavailable(reasonOf(error));
    }
    if (status === 200 || status === 204) return readAnswer(answer, text);
    throw failureOf(status, text);
  }
}

/** What the service says when it refuses is not repeated: it is its operators' business, and could hold what it was sent. */
function failureOf(status: number, text: string): Error {
  const said = Failure.safeParse(parse(text)).data?.errors.join(" ") ?? "";
  if (status === 400 && /invalid ciphertext|message authentication|too old|could not decrypt|unable to decrypt/i.test(said))
    return new NotSealedHereError("the key management service has not sealed this");
  if (status === 429 || status === 412 || status >= 500) return unavailable(`it answers with ${status}`);
  return new AppError("kms_refused", { message: `The key management service refuses to open credentials: it answers with ${status}.` });
}

function readAnswer<T>(answer: z.ZodType<T>, text: string): T {
  const parsed = answer.safeParse(parse(text));
  if (!parsed.success) throw unavailable("its answer is not one of a transit engine");
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text === "" ? "{}" : text);
  } catch {
    return undefined;
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > mostAnswerBytes) throw new Error("its answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  if (name === "TimeoutError") return "it does not answer in time";
  return cause?.code ?? cause?.message ?? message;
}

function unavailable(why: string): AppError {
  return new AppError("kms_unavailable", { message: `The key management service that opens credentials does not answer: ${why}.` });
}
