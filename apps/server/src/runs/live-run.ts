import { EventEmitter, once } from "node:events";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { RunStatus } from "@syla/contracts/runs";
import { encodeRecord, readLines, type LogRecord, type OutputStream } from "./log-records.ts";
import { createSpoolFile } from "./spool-file.ts";
import { textOrBase64, Utf8Splitter } from "./utf8-splitter.ts";

const headBytes = 64 * 1024;
/** Of the error output, what is looked at for what went wrong: its beginning and its end. */
const beginningBytes = 16 * 1024;
const tailBytes = 8 * 1024;
/** Output is gathered for this long before it becomes an event, so that a chatty program does not make one for each line. */
const gatherMs = 10;
const gatherBytes = 64 * 1024;
/** A log that outgrows this, or a run that outlives this, is also written to a file that survives the process. */
const memoryBytes = 256 * 1024;
const spoolAfterMs = 250;

/**
 * The log of a run while it runs: numbers and keeps its events, hands them to whoever follows, and writes them ahead to a spool file, which
 * has whatever a follower is given: a killed server loses nothing that was shown.
 */
export class LiveRun {
  readonly id: string;
  /** Its first event has the number after this one. */
  readonly startSeq: number;
  readonly #spoolPath: string;
  readonly #changed = new EventEmitter();
  readonly #splitters = { stdout: new Utf8Splitter(), stderr: new Utf8Splitter(), system: new Utf8Splitter() };
  readonly #heads = { stdout: new Head(), stderr: new Head() };
  #beginning = new Head(beginningBytes);
  #tail = Buffer.alloc(0);
  #stderrBytes = 0;
  #seq: number;
  /** Lines not older than what the spool file lacks; the first has `#firstSeq`. */
  #lines: string[] = [];
  #firstSeq: number;
  #size = 0;
  #spool: Writable | null = null;
  /** The number of the last event that the spool file has. */
  #spooledSeq = 0;
  #isSpoolBroken = false;
  #pending: { stream: OutputStream; chunks: Buffer[]; size: number } | null = null;
  #gatherTimer: NodeJS.Timeout | null = null;
  readonly #spoolTimer: NodeJS.Timeout;
  #closed = false;
  #discarded = false;

  /** `after`: the number of the last event that somebody else gave out for it. */
  constructor(id: string, spoolPath: string, after = 0) {
    this.id = id;
    this.startSeq = after;
    this.#seq = after;
    this.#firstSeq = after + 1;
    this.#spoolPath = spoolPath;
    this.#changed.setMaxListeners(0);
    this.#spoolTimer = setTimeout(() => this.#openSpool(), spoolAfterMs);
    this.#spoolTimer.unref();
  }

  /** Its end is recorded and its log stored for good. */
  get discarded(): boolean {
    return this.#discarded;
  }

  get lastSeq(): number {
    return this.#seq;
  }

  get stdoutHead(): string {
    return this.#heads.stdout.text;
  }

  get stderrHead(): string {
    return this.#heads.stderr.text;
  }

  /** The beginning and the end of the error output, for telling what went wrong. */
  get stderrEnds(): string {
    const between = this.#stderrBytes - beginningBytes - this.#tail.length;
    if (this.#stderrBytes <= tailBytes) return this.#tail.toString();
    const { text } = this.#beginning;
    return between > 0 ? `${text}\n${this.#tail.toString()}` : text + this.#tail.subarray(-between).toString();
  }

  /** What was said so far, by a compiler for one, tells nothing of what goes wrong from now on. */
  forgetStderr(): void {
    this.#beginning = new Head(beginningBytes);
    this.#tail = Buffer.alloc(0);
    this.#stderrBytes = 0;
  }

  status(status: RunStatus, phase: string | null, attempt: number, time = Date.now()): void {
    this.#flush();
    this.#append({ type: "status", seq: ++this.#seq, time, status, phase, attempt });
  }

  output(stream: OutputStream, data: Buffer): void {
    if (stream !== "system") this.#heads[stream].add(data);
    if (stream === "stderr") this.#keepEnds(data);
    if (this.#pending !== null && this.#pending.stream !== stream) this.#flush();
    this.#pending ??= { stream, chunks: [], size: 0 };
    this.#pending.chunks.push(data);
    this.#pending.size += data.length;
    if (this.#pending.size >= gatherBytes) this.#flush();
    else this.#gatherTimer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  #keepEnds(data: Buffer): void {
    this.#beginning.add(data);
    this.#tail = Buffer.concat([this.#tail, data]).subarray(-tailBytes);
    this.#stderrBytes += data.length;
  }

  /** The events after `seq`, as they come, until the run's log is closed. One that is discarded meanwhile has the rest stored for good. */
  async *follow(seq: number, signal?: AbortSignal): AsyncGenerator<LogRecord> {
    this.#openSpool();
    let position = seq;
    for (;;) {
      for await (const record of this.#after(position)) {
        if (record.seq > this.#safeSeq) break;
        position = record.seq;
        yield record;
      }
      if (this.#discarded) return;
      if (position < this.#safeSeq) continue;
      if ((this.#closed && position >= this.#seq) || signal?.aborted === true) return;
      await once(this.#changed, "change", signal ? { signal } : {}).catch(() => {}); // aborted: seen above
    }
  }

  /** The events so far, after `seq`. */
  async *snapshot(seq = 0): AsyncGenerator<LogRecord> {
    this.#flush();
    yield* this.#after(seq);
  }

  /** Ends the log. */
  async close(): Promise<void> {
    this.#flush();
    for (const stream of ["stdout", "stderr", "system"] as const) {
      const rest = this.#splitters[stream].end();
      if (rest.length > 0) this.#log(stream, rest);
    }
    clearTimeout(this.#spoolTimer);
    this.#closed = true;
    this.#changed.emit("change");
    if (this.#spool !== null) await finished(this.#spool.end());
  }

  /** All of a closed log, as JSON lines: what outgrew memory is read from the spool file. */
  content(): Buffer | Readable {
    return this.#spool === null ? Buffer.from(this.#lines.join("")) : createReadStream(this.#spoolPath);
  }

  /** Ends the log, and removes the spool file: its content is stored for good, or worth nothing. */
  async discard(): Promise<void> {
    if (!this.#closed) await this.close().catch(() => {});
    this.#discarded = true;
    if (this.#spool !== null) await rm(this.#spoolPath, { force: true });
  }

  async *#after(seq: number): AsyncGenerator<LogRecord> {
    if (seq + 1 < this.#firstSeq && this.#spool !== null) {
      await written(this.#spool);
      try {
        for await (const record of readLines(createReadStream(this.#spoolPath))) if (record.seq > seq) yield record;
      } catch (error) {
        if (!this.#discarded) throw error;
      }
      return;
    }
    for (const line of this.#lines.slice(Math.max(0, seq + 1 - this.#firstSeq))) yield JSON.parse(line) as LogRecord;
  }

  #flush(): void {
    if (this.#gatherTimer !== null) clearTimeout(this.#gatherTimer);
    this.#gatherTimer = null;
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null) return;
    const bytes = this.#splitters[pending.stream].push(
      pending.chunks.length === 1 ? (pending.chunks[0] as Buffer) : Buffer.concat(pending.chunks),
    );
    if (bytes.length > 0) this.#log(pending.stream, bytes);
  }

  #log(stream: OutputStream, bytes: Buffer): void {
    this.#append({ type: "log", seq: ++this.#seq, time: Date.now(), stream, ...textOrBase64(bytes) });
  }

  #append(record: LogRecord): void {
    const line = encodeRecord(record);
    // before the line is one of those in memory: opening writes all of them, and this one follows
    if (this.#size + line.length > memoryBytes) this.#openSpool();
    this.#lines.push(line);
    this.#size += line.length;
    if (this.#spool === null) this.#changed.emit("change");
    else this.#writeAhead(line, record.seq);
    this.#trim();
  }

  /** The number of the last event that may be shown: a server that is killed after that has it in the file. */
  get #safeSeq(): number {
    return this.#spool === null || this.#isSpoolBroken ? this.#seq : this.#spooledSeq;
  }

  #writeAhead(lines: string, seq: number): void {
    this.#spool?.write(lines, () => {
      this.#spooledSeq = seq;
      this.#changed.emit("change");
    });
  }

  #openSpool(): void {
    if (this.#spool !== null || this.#closed) return;
    this.#spool = createSpoolFile(this.#spoolPath);
    // A full disk shows when the log is stored; until then followers read what memory holds.
    this.#spool.on("error", () => {
      this.#isSpoolBroken = true;
      this.#changed.emit("change");
    });
    this.#writeAhead(this.#lines.join(""), this.#seq);
  }

  /** What the spool file has need not stay in memory. */
  #trim(): void {
    while (this.#spool !== null && this.#size > memoryBytes && this.#lines.length > 1) {
      this.#size -= (this.#lines.shift() as string).length;
      this.#firstSeq += 1;
    }
  }
}

/** The first bytes of a stream. */
class Head {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(limit = headBytes) {
    this.#limit = limit;
  }

  add(data: Buffer): void {
    if (this.#size >= this.#limit) return;
    const part = data.subarray(0, this.#limit - this.#size);
    this.#chunks.push(part);
    this.#size += part.length;
  }

  get text(): string {
    const splitter = new Utf8Splitter();
    const bytes = Buffer.concat(this.#chunks);
    const whole = splitter.push(bytes);
    return (this.#size >= this.#limit ? whole : bytes).toString();
  }
}

function written(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.errored !== null) reject(stream.errored);
    else if (stream.writableFinished) resolve();
    else if (stream.writableEnded) stream.once("finish", resolve).once("error", reject);
    else stream.write("", (error) => (error ? reject(error) : resolve()));
  });
}
