import { SylaError } from "@syla/sdk";

/** What a person needs to see of an error. */
export interface ErrorDescription {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly requestId: string | null;
  readonly fields: readonly { readonly path: string; readonly message: string }[];
}

/** The stable code of an error of the server or of the connection; `page_error` for a bug of the page itself. */
export function errorCode(error: unknown): string {
  return error instanceof SylaError ? error.code : "page_error";
}

/** Reads the problem out of whatever was thrown. */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof SylaError) {
    const { code, message, hint, requestId, fields } = error;
    return { code, message, hint: hint === "" ? null : hint, requestId, fields };
  }
  return {
    code: errorCode(error),
    message: error instanceof Error ? error.message : String(error),
    hint: null,
    requestId: null,
    fields: [],
  };
}

/** What is wrong with one field of the request, if the server said so. */
export function fieldProblem(error: unknown, path: string): string | null {
  return describeError(error).fields.find((field) => field.path === path)?.message ?? null;
}
