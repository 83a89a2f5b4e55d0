import { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import type { Route, RouteInput } from "@syla/contracts/route";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { fieldProblems } from "./http-problem.ts";

/** A repeated parameter is its values joined by commas. */
export function parseQuery(text: string): Record<string, string> {
  const query: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [key, value] of pairsOf(text)) query[key] = key in query ? `${query[key]},${value}` : value;
  return query;
}

/** Nearly all queries are a word or two, which need no decoder. */
function pairsOf(text: string): Iterable<[string, string]> {
  const word = text === "" ? null : /^(\w+)=(\w*)$/.exec(text);
  if (word !== null) return [[word[1] ?? "", word[2] ?? ""]];
  return text === "" ? [] : new URLSearchParams(text);
}

/** JSON as bytes that must be UTF-8: a lenient decoder would change the caller's code without a word. */
export function acceptJson(app: FastifyInstance): void {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined);
    let text: string;
    try {
      text = decoder.decode(body);
    } catch {
      return done(
        new AppError("invalid_request", {
          message: "The body is not valid UTF-8.",
          hint: "Send bytes that are not text in base64, or upload them.",
        }),
      );
    }
    return parseJson(request, text, done);
  });
}

/** Bodies of any type as a stream. */
export function acceptBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
}

/** Parses all parts of a request and reports every problem at once. */
export function inputParser<R extends Route>(route: R): (request: FastifyRequest) => RouteInput<R> {
  const { body } = route;
  const parts = [
    ["params", route.params],
    ["query", route.query],
    ["headers", route.headers],
    ["body", body === "bytes" ? undefined : body],
  ] as const;
  const declared = parts.flatMap(([place, schema]) => (schema === undefined ? [] : [{ place, schema }]));
  return (request) => {
    const input: Record<string, unknown> = {
      params: {},
      query: {},
      headers: {},
      body: body === "bytes" ? (request.body ?? Readable.from([])) : undefined,
    };
    const problems = [];
    for (const { place, schema } of declared) {
      const parsed = z.safeParse(schema, request[place] ?? (place === "body" ? undefined : {}));
      if (parsed.success) input[place] = parsed.data;
      else problems.push(...fieldProblems(place, parsed.error.issues));
    }
    if (problems.length > 0) throw invalidRequest(problems);
    return input as unknown as RouteInput<R>;
  };
}

function invalidRequest(fields: { path: string; message: string }[]): AppError {
  const [first] = fields;
  const detail = first === undefined ? "" : ` ${first.path === "" ? "The body" : `\`${first.path}\``}: ${first.message}.`;
  return new AppError("invalid_request", { message: `The request is not valid.${detail}`, fields });
}
