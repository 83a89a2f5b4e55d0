import { AppError } from "@syla/contracts/errors";
import { toAppError } from "../platform/http-problem.ts";
import type { Protocol } from "./protocol.ts";

/** The provider refused a call. What it said may be told; who asked is told nothing of the credential. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly status: number;
  /** Of the answer's body, as far as it is an error of a protocol. */
  readonly retryAfter: string | null;

  constructor(status: number, message: string, retryAfter: string | null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** A failure as it is recorded and answered. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfter: string | null;
  /** The field of the request that it is about. */
  readonly param?: string | null;
}

/** Anything that was thrown, as what the caller may know. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof ProviderError)
    return { status: thrown.status, code: "provider_error", message: thrown.message, retryAfter: thrown.retryAfter };
  const error = toAppError(thrown);
  const fields = error.fields.map(({ path, message }) => ` \`${path}\` ${message}.`).join("");
  return {
    status: error.status,
    code: error.code,
    message: `${error.message}${fields} ${error.hint}`.trim(),
    retryAfter: error.retryAfter === undefined ? null : String(Math.ceil(error.retryAfter)),
    param: error.fields[0]?.path || null,
  };
}

const anthropicTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

/** The error as clients of the protocol read it. */
export function errorDocument(protocol: Protocol, { status, code, message, param = null }: Failure, requestId: string): object {
  if (protocol === "ollama") return { error: message };
  if (protocol === "anthropic")
    return { type: "error", error: { type: anthropicTypes[status] ?? "api_error", message }, request_id: requestId };
  const type = status >= 500 ? "server_error" : status === 429 ? "rate_limit_error" : "invalid_request_error";
  return { error: { message, type, param, code } };
}

/** The same inside a stream that has begun. */
export function errorEvent(protocol: Protocol, failure: Failure, requestId: string): string {
  const text = JSON.stringify(errorDocument(protocol, failure, requestId));
  if (protocol === "ollama") return `${text}\n`;
  return protocol === "anthropic" ? `event: error\ndata: ${text}\n\n` : `data: ${text}\n\n`;
}

/** What a provider's error document says, in one line; null when it says nothing. */
export function providerMessage(text: string): string | null {
  try {
    const document = JSON.parse(text) as { error?: unknown; message?: unknown; detail?: unknown; errors?: unknown };
    const error = document.error as { message?: unknown } | string | undefined;
    const [first] = Array.isArray(document.errors) ? (document.errors as { message?: unknown }[]) : [];
    const said = typeof error === "string" ? error : (error?.message ?? document.message ?? document.detail ?? first?.message);
    return typeof said === "string" ? said.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, 1000) : null;
  } catch {
    return null;
  }
}

/** An error of the request's own, with the field it is about. */
export function badBody(path: string, message: string): AppError {
  return new AppError("invalid_request", { fields: [{ path, message }] });
}
