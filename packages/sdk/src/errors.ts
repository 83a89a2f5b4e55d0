import type { Problem } from "@syla/contracts/problem";

/** A field of the request that is wrong. `path` is dotted (`files.0.path`). */
export interface SylaFieldProblem {
  readonly path: string;
  readonly message: string;
}

interface SylaErrorFields {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  readonly fields?: readonly SylaFieldProblem[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/** The server answered with an error. `code` is stable; `hint` says what a person can do about it. */
export class SylaError extends Error {
  override readonly name: string = "SylaError";
  /** A code of the error catalogue, e.g. `unknown_language`. */
  readonly code: string;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly hint: string;
  readonly fields: readonly SylaFieldProblem[];
  readonly details: Readonly<Record<string, unknown>>;
  /** What to give an administrator; null when there was no answer. */
  readonly requestId: string | null;
  /** Milliseconds after which the server asks to try again, when it said so. */
  readonly retryAfterMs: number | null;

  constructor(message: string, fields: SylaErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status;
    this.hint = fields.hint;
    this.fields = fields.fields ?? [];
    this.details = fields.details ?? {};
    this.requestId = fields.requestId ?? null;
    this.retryAfterMs = fields.retryAfterMs ?? null;
  }
}

/** No answer came: `connection_failed` (refused, cut, no such host) or `request_timeout`. Whether the server acted is unknown. */
export class SylaConnectionError extends SylaError {
  override readonly name = "SylaConnectionError";

  constructor(code: "connection_failed" | "request_timeout", message: string, cause?: unknown) {
    const hint =
      code === "request_timeout" ? "The server is slow or stuck; try again." : "Check the address, and that the server is running.";
    super(message, { code, status: 0, hint, cause });
  }
}

/** Turns an error answer into a {@link SylaError}, also when something between us and the server answered in its own words. */
export async function errorFromResponse(response: Response): Promise<SylaError> {
  const body = await response.text().catch(() => "");
  const problem = parseProblem(body);
  const requestId = response.headers.get("x-request-id");
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  if (problem === null) {
    return new SylaError(
      `The server answered ${response.status}${response.statusText === "" ? "" : ` ${response.statusText}`}, not in the form of a Syla error.`,
      {
        code: "unexpected_answer",
        status: response.status,
        hint: "Check that the address is that of a Syla server, and not of a proxy in front of it.",
        requestId,
        retryAfterMs,
      },
    );
  }
  const { code, hint, fields, details } = problem;
  return new SylaError(problem.detail, {
    code,
    status: response.status,
    hint,
    fields,
    details,
    requestId: problem.requestId ?? requestId,
    retryAfterMs,
  });
}

function parseProblem(body: string): Problem | null {
  try {
    const value = JSON.parse(body) as Partial<Problem> | null;
    if (typeof value?.code !== "string" || typeof value.detail !== "string") return null;
    return { hint: "", fields: [], details: {}, ...value } as Problem;
  } catch {
    return null;
  }
}

/** `Retry-After` is seconds or a date. */
export function parseRetryAfter(value: string | null, now: number = Date.now()): number | null {
  if (value === null || value.trim() === "") return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
