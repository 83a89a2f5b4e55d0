import type { SandboxHandle } from "@syla/sdk";
import { CliError } from "../cli-error.ts";

const processEnded = 4000;

/** Joins this terminal, raw, to one in a sandbox until that ends. Gives the terminal back in any case. @returns the exit code */
export async function joinTerminal(socket: WebSocket, input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<number> {
  socket.binaryType = "arraybuffer";
  const ended = Promise.withResolvers<number>();
  let exitCode: number | null = null;
  const type = (bytes: Buffer) => socket.send(bytes);
  const resize = () => socket.send(JSON.stringify(sizeOf(output)));
  socket.addEventListener("open", () => {
    input.setRawMode(true);
    input.on("data", type);
    output.on("resize", resize);
    resize();
  });
  socket.addEventListener("message", ({ data }: { readonly data: unknown }) => {
    if (typeof data === "string") exitCode = exitCodeOf(data);
    else output.write(Buffer.from(data as ArrayBuffer));
  });
  socket.addEventListener("error", () => ended.reject(lost("The terminal could not be reached.")));
  socket.addEventListener("close", ({ code }) =>
    code === processEnded ? ended.resolve(exitCode ?? 0) : ended.reject(lost("The connection to the terminal was lost.")),
  );
  try {
    return await ended.promise;
  } finally {
    input.off("data", type);
    output.off("resize", resize);
    input.setRawMode(false);
    input.pause();
  }
}

/** A shell is for somebody who sits there. @throws CliError `no_terminal` */
export function requireTerminal(hint: string): void {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new CliError("A shell needs a terminal.", { code: "no_terminal", exit: "usage", hint });
}

/** Starts a shell, or a command, on a terminal of its own. @returns its process */
export async function startShell(sandbox: SandboxHandle, words: string[] = []): Promise<number> {
  const command = words.length === 0 ? ["/bin/bash", "-i"] : words;
  return (await sandbox.processes.start(command, { terminal: sizeOf(process.stdout) })).pid;
}

/** A terminal that does not know its size has the usual one. */
function sizeOf({ columns, rows }: NodeJS.WriteStream): { columns: number; rows: number } {
  return { columns: columns || 80, rows: rows || 24 };
}

function exitCodeOf(text: string): number {
  const { exitCode } = JSON.parse(text) as { exitCode: number | null };
  return exitCode ?? 1;
}

function lost(message: string): CliError {
  const hint = "`syla sandbox show` tells whether the sandbox lives; `syla sandbox shell --attach PID` joins its terminal again.";
  return new CliError(message, { code: "connection_lost", exit: "unavailable", hint });
}
