import type { LogDownload } from "@syla/contracts/logs";
import { isWanted } from "@syla/contracts/log-search";
import type { LogLine } from "@syla/contracts/log-lines";
import type { RunEvent } from "@syla/contracts/runs";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { Head } from "./head.ts";
import { readLogLines } from "./log-search.ts";
import type { LiveRuns } from "./live-runs.ts";
import { bytesOf, readLog, toEvent, type LogRecord } from "./log-records.ts";
import type { Heads } from "./presenter.ts";
import { runResults } from "./result.ts";
import { findRun, type RunRow } from "./store.ts";

/** What is needed to read logs. */
interface RunLogsContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly liveRuns: LiveRuns;
}

/** What runs wrote: from memory while they go on here, as it was stored afterwards. Who may read it has been decided. */
export class RunLogs {
  readonly #context: RunLogsContext;

  constructor(context: RunLogsContext) {
    this.#context = context;
  }

  /** The first bytes of both streams. */
  async heads(row: RunRow): Promise<Heads> {
    const live = this.#context.liveRuns.get(row.id);
    if (live !== undefined) return { stdout: live.stdoutHead, stderr: live.stderrHead };
    const heads = { stdout: new Head(), stderr: new Head() };
    const open = new Set((["stdout", "stderr"] as const).filter((stream) => !isSilent(row, stream)));
    if (open.size > 0)
      for await (const record of this.#records(row)) {
        if (record.type !== "log" || record.stream === "system") continue;
        heads[record.stream].add(bytesOf(record));
        if (heads[record.stream].isFull && open.delete(record.stream) && open.size === 0) break;
      }
    return { stdout: heads.stdout.text, stderr: heads.stderr.text };
  }

  /** The log as it is downloaded: what was written, byte for byte, every event as a JSON line, or its lines. */
  async *download(row: RunRow, wish: LogDownload): AsyncGenerator<Buffer> {
    const { format, stream, timestamps } = wish;
    if (format === "raw") return yield* this.bytes(row, stream, "raw");
    if (format === "jsonl") return yield* this.bytes(row, stream, "jsonl");
    const print =
      format === "lines"
        ? (line: LogLine) => `${JSON.stringify(line)}\n`
        : ({ time, text }: LogLine) => (timestamps ? `${time} ${text}\n` : `${text}\n`);
    for await (const lines of gather(this.lines(row), (line) => isWanted(line, wish))) yield Buffer.from(lines.map(print).join(""));
  }

  /** The lines so far. */
  lines(row: RunRow): AsyncGenerator<LogLine> {
    return readLogLines(this.#events(row));
  }

  async *#events(row: RunRow): AsyncGenerator<RunEvent> {
    for await (const record of this.#records(row)) yield toEvent(record);
  }

  /** What was written, byte for byte, or every event as a JSON line. */
  async *bytes(row: RunRow, stream: LogDownload["stream"], format: "raw" | "jsonl"): AsyncGenerator<Buffer> {
    for await (const record of this.#records(row)) {
      const isWantedStream = stream === "all" || (record.type === "log" && record.stream === stream);
      if (!isWantedStream) continue;
      if (format === "jsonl") yield Buffer.from(`${JSON.stringify(toEvent(record))}\n`);
      else if (record.type === "log") yield bytesOf(record);
    }
  }

  /** Every record so far, from memory or as they are stored, also when the run ends in between. */
  async *#records(row: RunRow): AsyncGenerator<LogRecord> {
    const live = this.#context.liveRuns.get(row.id);
    if (live === undefined) return yield* this.stored(row, 0);
    let seq = 0;
    for await (const record of live.snapshot()) {
      seq = record.seq;
      yield record;
    }
    if (live.discarded) yield* this.stored((await findRun(this.#context.database.queries, row.id)) ?? row, seq);
  }

  /** The stored records after `seq`; before there is a log, that the run is queued; of a log that a power cut took, that it is lost. */
  async *stored(row: RunRow, seq: number): AsyncGenerator<LogRecord> {
    if (row.log_sha256 !== null) {
      if (await this.#context.blobs.has(row.log_sha256)) {
        yield* readLog(this.#context.blobs, row.log_sha256, seq);
      } else if (seq < 1) yield lostLog(row, "[the log of this run was lost in a power cut]\n");
    } else if (row.expired_at !== null) {
      if (seq < 1) yield lostLog(row, "[the log of this run was removed: it was older than logs are kept]\n");
    } else if (seq < 1) {
      yield { type: "status", seq: 1, time: row.created_at.getTime(), status: "queued", phase: null, attempt: row.attempt };
    }
  }
}

/** So many lines are printed at once. */
const linesAtOnce = 256;

async function* gather<T>(items: AsyncIterable<T>, filter: (item: T) => boolean): AsyncGenerator<readonly T[]> {
  let gathered: T[] = [];
  for await (const item of items) {
    if (!filter(item)) continue;
    gathered.push(item);
    if (gathered.length < linesAtOnce) continue;
    yield gathered;
    gathered = [];
  }
  if (gathered.length > 0) yield gathered;
}

/** Nothing was printed there, for sure: the log, which may be long, need not be looked through for it. */
function isSilent({ result }: RunRow, stream: "stdout" | "stderr"): boolean {
  if (result === null) return false;
  const { runMs, compileMs, tests, stdoutBytes, stderrBytes } = runResults.parse(result);
  // What a compiler or a judge says is not counted with what the program prints.
  return runMs !== null && compileMs === null && tests === null && (stream === "stdout" ? stdoutBytes : stderrBytes) === 0;
}

function lostLog(row: RunRow, text: string): LogRecord {
  const time = (row.finished_at ?? row.created_at).getTime();
  return { type: "log", seq: 1, time, stream: "system", text };
}
