import { AppError, errorCatalog, type FieldProblem } from "@syla/contracts/errors";
import type { Problem } from "@syla/contracts/problem";
import type { z } from "zod";
import { diskError } from "./blob-files.ts";
import { databaseError } from "./database.ts";

/** Fastify's own errors that have a better word in our catalogue. */
const fastifyErrors: Readonly<Record<string, () => AppError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AppError("payload_too_large"),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new AppError("invalid_request", {
      message: "The content type is not supported.",
      hint: "Send JSON with `content-type: application/json`.",
    }),
  FST_ERR_CTP_INVALID_JSON_BODY: () => invalidJson(),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new AppError("invalid_request", { message: "The body is not as long as `content-length` says." }),
};

function invalidJson(): AppError {
  return new AppError("invalid_request", { message: "The body is not valid JSON.", hint: "Check commas, quotes and brackets." });
}

/** Anything that was thrown, as the error that a caller may see. What is unknown becomes `internal`, with nothing of its text. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const known = databaseError(error) ?? diskError(error);
  if (known !== undefined) return known;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const mapped = typeof code === "string" ? fastifyErrors[code] : undefined;
  if (mapped !== undefined) return mapped();
  if (error instanceof SyntaxError && statusCode === 400) return invalidJson();
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) return new AppError("invalid_request", { cause: error });
  return new AppError("internal", { cause: error });
}

/** The problem document of an error. */
export function toProblem(error: AppError, requestId: string, basePath: string): Problem {
  return {
    type: `${basePath}/api/docs#error-${error.code}`,
    title: errorCatalog[error.code].message,
    status: error.status,
    code: error.code,
    detail: error.message,
    hint: error.hint,
    requestId,
    fields: [...error.fields],
    details: { ...error.details },
  };
}

/** What a failed parse says about each field. `place` is `body`, `query`, `params` or `headers`; a body's fields go without it. */
export function fieldProblems(place: string, issues: readonly z.core.$ZodIssue[]): FieldProblem[] {
  return issues.flatMap((issue) => {
    const path = (place === "body" ? issue.path : [place, ...issue.path]).map(String).join(".");
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({ path: path === "" ? key : `${path}.${key}`, message: "is not known here" }));
    if (issue.code === "invalid_union") return unionProblems(place, issue);
    return [{ path, message: issue.message }];
  });
}

/** Of the alternatives of a union, the one that fits best says what is missing. */
function unionProblems(place: string, issue: z.core.$ZodIssueInvalidUnion): FieldProblem[] {
  const [best] = issue.errors.toSorted((a, b) => a.length - b.length);
  const path = (place === "body" ? issue.path : [place, ...issue.path]).map(String).join(".");
  if (best === undefined || best.length === 0) return [{ path, message: issue.message }];
  return fieldProblems(
    place,
    best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
  );
}
