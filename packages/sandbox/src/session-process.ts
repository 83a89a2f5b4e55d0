import { z } from "zod";
import type { ChannelPiece, SessionChannel } from "./session-channel.ts";
import type { SessionDaemon } from "./session-daemon.ts";
import type { ProcessExit, ProcessSpec, SessionProcess } from "./session.ts";

const Started = z.object({ pid: z.int().positive() });
const Exit = z.object({ exitCode: z.int().nullable(), signal: z.int().nullable(), timedOut: z.boolean() });

/** A process with the channel it is held by. */
export interface OpenProcess {
  readonly pid: number;
  readonly channel: SessionChannel;
}

/** Starts a process; `control` gives it a pipe of its own to us. */
export async function openProcess(daemon: SessionDaemon, spec: ProcessSpec, control = false): Promise<OpenProcess> {
  const { command, ...rest } = spec;
  const words = typeof command === "string" ? { shell: command } : { argv: command };
  const channel = daemon.open({ op: "process", ...words, ...rest, control });
  const { pid } = await channel.firstEvent(Started);
  return { pid, channel };
}

export async function startProcess(daemon: SessionDaemon, spec: ProcessSpec): Promise<SessionProcess> {
  const { pid, channel } = await openProcess(daemon, spec);
  const exit = Promise.withResolvers<ProcessExit>();
  exit.promise.catch(() => {});
  return {
    pid,
    output: readOutput(channel, exit),
    exit: exit.promise,
    write: (bytes) => channel.write(bytes),
    endInput: () => channel.end(),
    resize: ({ columns, rows }) => channel.event({ columns, rows }),
    signal: (number) => channel.event({ signal: number }),
    close: () => channel.close(),
  };
}

async function* readOutput(channel: SessionChannel, exit: PromiseWithResolvers<ProcessExit>) {
  try {
    for await (const piece of channel.pieces()) {
      const output = toOutput(piece);
      if (output !== null) yield output;
    }
    exit.resolve(await channel.result(Exit));
  } catch (error) {
    exit.reject(error);
    throw error;
  } finally {
    channel.close(); // whoever stops reading has no use for it any more
  }
}

export function toOutput(piece: ChannelPiece): { stream: "stdout" | "stderr"; data: Buffer } | null {
  if (piece.type === "data") return { stream: "stdout", data: piece.data };
  return piece.type === "errors" ? { stream: "stderr", data: piece.data } : null;
}
