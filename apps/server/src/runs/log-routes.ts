import { Readable, pipeline } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { AppError } from "@syla/contracts/errors";
import { logRoutes, type LogDownload } from "@syla/contracts/logs";
import type { Http } from "../access/http.ts";
import { attachment } from "../platform/content-answer.ts";
import { answer } from "../platform/http-call.ts";
import type { Runs } from "./service.ts";

/** Binds what is read of logs, apart from following them. */
export function registerLogRoutes(http: Http, runs: Runs): void {
  http.bind(logRoutes.downloadLog, async ({ params, query }, call) => {
    checkDownload(query);
    const { id } = await runs.require(call.actor, params.id, "run:log");
    const { name, type } = nameOf(id, query);
    const content = Readable.from(runs.log(call.actor, id, query));
    const headers = { ...attachment(name, type), vary: "accept-encoding" };
    if (!takesGzip(call.request.headers["accept-encoding"])) return answer(200, content, headers);
    return answer(
      200,
      pipeline(content, createGzip({ level: constants.Z_BEST_SPEED }), () => {}),
      { ...headers, "content-encoding": "gzip" },
    );
  });
  http.bind(logRoutes.searchLog, async ({ params, query }, call) => await runs.searchLog(call.actor, params.id, query, call.signal));
}

/** @throws AppError `invalid_request` for what is only known of lines */
function checkDownload({ format, level, node, timestamps }: LogDownload): void {
  const ofLines = format === "text" || format === "lines";
  if (!ofLines && (level !== undefined || node !== undefined))
    throw new AppError("invalid_request", {
      message: "Bytes and events have no level and no node.",
      hint: "Ask for `format=text` or `lines`.",
    });
  if (timestamps && format !== "text")
    throw new AppError("invalid_request", {
      message: "Only text is written with timestamps.",
      hint: "Ask for `format=text`; the other formats but `raw` have the time with each line.",
    });
}

function nameOf(id: string, { format, stream }: LogDownload): { name: string; type: string } {
  if (format === "jsonl") return { name: `${id}.jsonl`, type: "application/jsonl" };
  if (format === "lines") return { name: `${id}-lines.jsonl`, type: "application/jsonl" };
  return { name: `${id}-${stream}.log`, type: "text/plain; charset=utf-8" };
}

/** Source: RFC 9110, 12.5.3. */
function takesGzip(header: string | string[] | undefined): boolean {
  return /(?:^|[\s,])(?:gzip|x-gzip)(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))\s*(?:[,;]|$)/i.test(String(header ?? ""));
}
