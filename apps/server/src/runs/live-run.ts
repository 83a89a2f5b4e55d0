import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { setImmediate as letOthers } from "node:timers/promises";
import type { NodeRun } from "@syla/contracts/node-runs";
import type { RunStatus } from "@syla/contracts/runs";
import { partBytes, toPart, type EventPart, type Sendable } from "./event-parts.ts";
import { Head } from "./head.ts";
import { bytesOf, encodeRecord, readLines, type LogRecord, type OutputStream } from "./log-records.ts";
import type { SecretForms } from "./secret-redactor.ts";
import { createSpoolFile } from "./spool-file.ts";
import { textOrBase64, Utf8Splitter } from "./utf8-splitter.ts";

/** Of the error output, what is looked at for what went wrong: its beginning and its end. */
const beginningBytes = 16 * 1024;
const tailBytes = 8 * 1024;
/** Output is gathered for this long before it becomes an event, so that a chatty program does not make one for each line. */
const gatherMs = 10;
const gatherBytes = 64 * 1024;
/** A log that outgrows this, or a run that outlives this, is also written to a file that survives the process. */
const memoryBytes = 256 * 1024;
const spoolAfterMs = 250;
/** A program that prints faster than the file takes it waits when so much is on its way there. */
const unwrittenBytes = 4 * 1024 * 1024;

/** Followers are told of what is new all at once, and with very many of them only now and then: it costs each of them as much, however much it is. */
const followersPerMs = 10;
const longestPauseMs = 100;
/** So many in a row: what else the process has to do comes in between. */
const toldInARow = 50;

/** A record that is in memory, and its line of the log. */
interface Kept extends Sendable {
  readonly line: Buffer;
}

/**
 * The log of a run while it runs: numbers and keeps its events, hands them to whoever follows, and writes them ahead to a spool file, which
 * has whatever a follower is given: a killed server loses nothing that was shown.
 */
export class LiveRun {
  readonly id: string;
  /** Its first event has the number after this one. */
  readonly startSeq: number;
  /** What is taken out of whatever it tells of its nodes; null: nothing. */
  confidential: SecretForms | null = null;
  readonly #spoolPath: string;
  readonly #splitters = { stdout: new Utf8Splitter(), stderr: new Utf8Splitter(), system: new Utf8Splitter() };
  readonly #heads = { stdout: new Head(), stderr: new Head() };
  #beginning = new Head(beginningBytes);
  #tail = Buffer.alloc(0);
  #stderrBytes = 0;
  #seq: number;
  /** Not older than what the spool file lacks, with numbers in order. */
  #kept: Kept[] = [];
  #size = 0;
  #spool: Writable | null = null;
  /** The number of the last event that the spool file has. */
  #spooledSeq: number;
  #isSpoolBroken = false;
  /** Bytes of the whole log, and where in it records begin, one for each part: whoever reads behind what memory holds begins near. */
  #bytes = 0;
  readonly #marks: { readonly seq: number; readonly offset: number }[] = [];
  /** What was made last: all who stand where it begins get the same. */
  #part: EventPart | null = null;
  #waiting = new Set<() => void>();
  #tellTimer: NodeJS.Timeout | null = null;
  #pending: { stream: OutputStream; chunks: Buffer[]; size: number } | null = null;
  #gatherTimer: NodeJS.Timeout | null = null;
  readonly #spoolTimer: NodeJS.Timeout;
  #closed = false;
  #discarded = false;
  #stored = false;

  /** `after`: the number of the last event that somebody else gave out for it. */
  constructor(id: string, spoolPath: string, after = 0) {
    this.id = id;
    this.startSeq = after;
    this.#seq = after;
    this.#spooledSeq = after;
    this.#spoolPath = spoolPath;
    this.#spoolTimer = setTimeout(() => this.#openSpool(), spoolAfterMs);
    this.#spoolTimer.unref();
  }

  /** Its end is recorded and its log stored for good, or worth nothing. */
  get discarded(): boolean {
    return this.#discarded;
  }

  /** Its log is stored for good, as it was given out. */
  get stored(): boolean {
    return this.#stored;
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

  /** A node of its composition has changed. */
  node(node: NodeRun): void {
    if (this.#closed) return; // whoever reads the nodes afterwards finds it
    this.#flush();
    this.#append({ type: "node", seq: ++this.#seq, time: Date.now(), node });
  }

  /** What was logged before it waited for somebody. To be called before anything else. */
  restore(record: LogRecord): void {
    if (record.type === "log" && record.stream !== "system") this.#heads[record.stream].add(bytesOf(record));
    this.#append({ ...record, seq: ++this.#seq });
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

  /** Resolves when what is on its way to the file is little enough for more. */
  async hasRoom(): Promise<void> {
    if (this.#spool !== null && this.#spool.writableLength >= unwrittenBytes) await written(this.#spool).catch(() => {}); // shows when the log is stored
  }

  /** The events after `seq`, as they come, until the run's log is closed. One that is discarded meanwhile has the rest stored for good. */
  async *follow(seq: number, signal?: AbortSignal): AsyncGenerator<LogRecord> {
    for await (const some of this.#after(seq, signal)) for (const { record } of some) yield record;
  }

  /** The same as they are sent to any number of followers. */
  async *followParts(seq: number, signal: AbortSignal): AsyncGenerator<EventPart> {
    for await (const some of this.#after(seq, signal)) yield this.#partOf(some);
  }

  /** The events so far, after `seq`. */
  async *snapshot(seq = 0): AsyncGenerator<LogRecord> {
    this.#flush();
    const last = this.#seq;
    for (let position = seq; position < last;) {
      const some = await this.#next(position, last);
      position = some.at(-1)?.record.seq ?? last;
      for (const { record } of some) yield record;
    }
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
    void this.#tell();
    if (this.#spool !== null) await finished(this.#spool.end());
  }

  /** All of a closed log, as JSON lines: what outgrew memory is read from the spool file. */
  content(): Buffer | Readable {
    return this.#spool === null ? Buffer.concat(this.#kept.map(({ line }) => line)) : createReadStream(this.#spoolPath);
  }

  /** Ends the log, and removes the spool file: its content is stored for good, or worth nothing. */
  async discard(stored = false): Promise<void> {
    if (!this.#closed) await this.close().catch(() => {});
    this.#stored = stored;
    this.#discarded = true;
    if (this.#spool !== null) await rm(this.#spoolPath, { force: true });
  }

  /** Records after `seq`, about a part at a time. */
  async *#after(seq: number, signal?: AbortSignal): AsyncGenerator<readonly Sendable[]> {
    this.#openSpool();
    const isWanted = () => signal?.aborted !== true;
    for (let position = seq; isWanted();) {
      if (position < this.#safeSeq) {
        const some = await this.#next(position, this.#safeSeq);
        position = some.at(-1)?.record.seq ?? this.#seq;
        if (some.length > 0) yield some;
      } else if (this.#discarded || (this.#closed && position >= this.#seq)) return;
      else await this.#change(signal);
    }
  }

  /** The number of the last event that may be shown: a server that is killed after that has it in the file. */
  get #safeSeq(): number {
    return this.#spool === null || this.#isSpoolBroken ? this.#seq : this.#spooledSeq;
  }

  /** Some records after `seq`, up to `last` where they are in memory. None when the log is discarded. */
  async #next(seq: number, last: number): Promise<readonly Sendable[]> {
    const first = this.#kept[0]?.record.seq ?? 0;
    if (seq + 1 >= first || this.#spool === null) return this.#nextInMemory(Math.max(0, seq + 1 - first), last + 1 - first);
    try {
      return await this.#nextInFile(this.#spool, seq);
    } catch (error) {
      if (this.#discarded) return [];
      throw error;
    }
  }

  #nextInMemory(begin: number, most: number): readonly Sendable[] {
    let end = begin;
    for (let size = 0; end < most && size < partBytes; end += 1) size += this.#kept[end]?.line.length ?? 0;
    return this.#kept.slice(begin, end);
  }

  /** What is between two marks: no file stays open while a reader takes it. */
  async #nextInFile(spool: Writable, seq: number): Promise<readonly Sendable[]> {
    const at = Math.max(
      0,
      this.#marks.findLastIndex((mark) => mark.seq <= seq + 1),
    );
    const [start, end] = [this.#marks[at]?.offset ?? 0, this.#marks[at + 1]?.offset ?? this.#bytes];
    await written(spool);
    const records = await Array.fromAsync(readLines(createReadStream(this.#spoolPath, { start, end: end - 1 })));
    const some = records.filter((record) => record.seq > seq).map((record) => ({ record, event: null }));
    if (some.length === 0) throw new Error("what was written ahead of a run's log is not there");
    return some;
  }

  #partOf(some: readonly Sendable[]): EventPart {
    const part = this.#part;
    if (part !== null && part.firstSeq === some[0]?.record.seq && part.lastSeq === some.at(-1)?.record.seq) return part;
    return (this.#part = toPart(some));
  }

  /** Resolves when something is new, or the signal aborts. */
  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake);
    });
  }

  #tellSoon(): void {
    if (this.#waiting.size === 0) return;
    const pauseMs = Math.min(this.#waiting.size / followersPerMs, longestPauseMs);
    if (pauseMs < 1) void this.#tell();
    else this.#tellTimer ??= setTimeout(() => void this.#tell(), pauseMs);
  }

  async #tell(): Promise<void> {
    if (this.#tellTimer !== null) clearTimeout(this.#tellTimer);
    this.#tellTimer = null;
    const told = [...this.#waiting];
    this.#waiting.clear();
    for (const [index, wake] of told.entries()) {
      if (index > 0 && index % toldInARow === 0) await letOthers();
      wake();
    }
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
    const line = Buffer.from(encodeRecord(record));
    // before the line is one of those in memory: opening writes all of them, and this one follows
    if (this.#size + line.length > memoryBytes) this.#openSpool();
    if (this.#bytes >= (this.#marks.at(-1)?.offset ?? -partBytes) + partBytes) this.#marks.push({ seq: record.seq, offset: this.#bytes });
    this.#kept.push({ record, line, event: null });
    this.#size += line.length;
    this.#bytes += line.length;
    if (this.#spool === null) this.#tellSoon();
    else this.#writeAhead(line, record.seq);
    this.#trim();
  }

  #writeAhead(lines: Buffer, seq: number): void {
    this.#spool?.write(lines, (error) => {
      if (error != null) return; // told as an error of the stream
      this.#spooledSeq = seq;
      this.#tellSoon();
    });
  }

  #openSpool(): void {
    if (this.#spool !== null || this.#closed) return;
    this.#spool = createSpoolFile(this.#spoolPath);
    // A full disk shows when the log is stored; until then followers read what memory holds.
    this.#spool.on("error", () => {
      this.#isSpoolBroken = true;
      void this.#tell();
    });
    this.#writeAhead(Buffer.concat(this.#kept.map(({ line }) => line)), this.#kept.at(-1)?.record.seq ?? this.#spooledSeq);
  }

  /** What the spool file has need not stay in memory. */
  #trim(): void {
    while (this.#spool !== null && this.#size > memoryBytes && this.#kept.length > 1) this.#size -= this.#kept.shift()?.line.length ?? 0;
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
