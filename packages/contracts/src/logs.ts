import { z } from "zod";
import { LogFilter, LogPattern, FoundLines } from "./log-search.ts";
import { route } from "./route.ts";

const runId = z.object({ id: z.string().max(64) });

/** What a log is downloaded as. */
export const LogDownload = LogFilter.extend({
  format: z
    .enum(["raw", "text", "jsonl", "lines"])
    .default("raw")
    .describe(
      "`raw`: the bytes of the program; `text`: lines without control sequences; `jsonl`: events, one a line; `lines`: lines with their facts, as JSON",
    ),
  timestamps: z.stringbool().default(false).describe("with `text`: each line begins with when it began"),
});
export type LogDownload = z.output<typeof LogDownload>;

export const logRoutes = {
  downloadLog: route({
    method: "GET",
    path: "/api/v1/runs/:id/log",
    summary: "Download the log: raw bytes of one stream or of both, text, events or lines as JSON; a level and a node choose lines of text",
    tag: "runs",
    auth: "user",
    link: "run",
    params: runId,
    query: LogDownload,
    responses: { 200: "bytes" },
    errors: ["not_found", "invalid_request"],
  }),
  searchLog: route({
    method: "GET",
    path: "/api/v1/runs/:id/log/lines",
    summary: "Search the whole log, kept or live, for lines with a text or a pattern, of a stream, a level or a node",
    tag: "runs",
    auth: "user",
    link: "run",
    params: runId,
    query: LogFilter.extend({
      ...LogPattern.shape,
      after: z.coerce.number().int().min(0).default(0).describe("only lines after the one of this number"),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    responses: { 200: FoundLines },
    errors: ["not_found", "invalid_pattern"],
  }),
};
