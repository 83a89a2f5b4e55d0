import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import { fieldProblems } from "../platform/http-problem.ts";
import type { Secret } from "../platform/secret.ts";
import { hideText } from "./call-record.ts";
import { ProviderError } from "./protocol-error.ts";

/** The provider has said itself, in its stream, what went wrong. */
export class ToldError extends ProviderError {
  constructor(message: string) {
    super(502, message, null);
  }
}

/** @throws AppError `invalid_request` for what does not have the shape */
export function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof z.ZodError) throw new AppError("invalid_request", { fields: fieldProblems("body", error.issues) });
    if (error instanceof TypeError) throw new AppError("invalid_request", { message: "An address in the request is none." });
    throw error;
  }
}

/** What the adapters throw on an answer that they cannot read is the provider's fault. */
export function readable(thrown: unknown): unknown {
  if (thrown instanceof AppError || thrown instanceof ProviderError) return thrown;
  const { cause } = (thrown ?? {}) as { cause?: unknown };
  if (cause instanceof AppError || cause instanceof ProviderError) return cause;
  const { name = "", message = "" } = (thrown ?? {}) as { name?: string; message?: string };
  if (name.startsWith("AI_UnsupportedFunctionality")) return new AppError("model_unsupported", { message });
  if (name.startsWith("AI_") || name === "SyntaxError") return new AppError("model_garbled", { cause: thrown });
  return thrown;
}

/** A provider may say in its errors what it was sent. */
export function hideSecrets(thrown: unknown, secrets: readonly Secret[]): unknown {
  if (!(thrown instanceof ProviderError)) return thrown;
  const message = hideText(thrown.message, secrets);
  if (message === thrown.message) return thrown;
  return thrown instanceof ToldError ? new ToldError(message) : new ProviderError(thrown.status, message, thrown.retryAfter);
}
