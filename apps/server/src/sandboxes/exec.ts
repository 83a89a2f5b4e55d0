import type { SandboxExecInput, SandboxExecResult, SandboxProcessEvent } from "@syla/contracts/sandboxes/processes";
import type { Session, SessionProcess } from "@syla/sandbox/session";
import type { z } from "zod";
import { toExit } from "./followed-process.ts";

/** Of each stream the first and the last half of this are answered, bytes. */
const maxStreamBytes = 4 * 1024 * 1024;

type ExecInput = z.output<typeof SandboxExecInput>;

/** Runs a command to its end; it ends with the caller. */
export async function exec(session: Session, input: ExecInput, signal: AbortSignal): Promise<SandboxExecResult> {
  const process = await start(session, input, signal);
  const streams = { stdout: new Halves(), stderr: new Halves() };
  for await (const { stream, data } of process.output) streams[stream].add(data);
  const { stdout, stderr } = streams;
  return {
    ...toExit(await process.exit),
    stdout: stdout.text(),
    stderr: stderr.text(),
    truncated: stdout.dropped > 0 || stderr.dropped > 0,
  };
}

/** The same, told as it happens. */
export async function* streamExec(session: Session, input: ExecInput, signal: AbortSignal): AsyncGenerator<SandboxProcessEvent> {
  const process = await start(session, input, signal);
  for await (const { stream, data } of process.output) yield { type: "output", stream, data: data.toString("base64") };
  yield { type: "exit", ...toExit(await process.exit) };
}

async function start(session: Session, { stdin, stdinBase64, ...input }: ExecInput, signal: AbortSignal): Promise<SessionProcess> {
  const bytes = stdinBase64 !== undefined ? Buffer.from(stdinBase64, "base64") : stdin === undefined ? null : Buffer.from(stdin);
  const process = await session.start({ ...toSpec(input), stdin: bytes !== null });
  signal.addEventListener("abort", () => process.close(), { once: true });
  if (bytes !== null) void process.write(bytes).then(() => process.endInput());
  return process;
}

/** The fields that a process is started with, less those that were left out. */
export function toSpec(input: Omit<ExecInput, "stdin" | "stdinBase64">) {
  const { command, env, cwd, timeoutMs } = input;
  return { command, env, ...(cwd === undefined ? {} : { cwd }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

/** The beginning and the end of a stream. */
class Halves {
  dropped = 0;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer = Buffer.alloc(0);

  add(data: Buffer): void {
    const room = Math.min(maxStreamBytes / 2 - this.#headBytes, data.length);
    if (room > 0) this.#head.push(data.subarray(0, room));
    this.#headBytes += Math.max(room, 0);
    const rest = data.subarray(Math.max(room, 0));
    if (rest.length === 0) return;
    const tail = Buffer.concat([this.#tail, rest]);
    const excess = Math.max(0, tail.length - maxStreamBytes / 2);
    this.dropped += excess;
    this.#tail = Buffer.from(tail.subarray(excess));
  }

  text(): string {
    const note = this.dropped === 0 ? "" : `\n[${this.dropped} bytes were left out here]\n`;
    if (note === "") return Buffer.concat([...this.#head, this.#tail]).toString();
    return Buffer.concat(this.#head).toString() + note + this.#tail.toString();
  }
}
