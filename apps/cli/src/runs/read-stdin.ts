import { fstatSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import { createProgress } from "../output/progress.ts";

const maxBytes = 48 * 1024 * 1024;

/** What is piped or redirected into us, for the program; null on a terminal, from /dev/null, or when there is no stdin at all. */
export async function readPipedStdin(): Promise<Buffer | null> {
  return isPiped() ? readStdin() : null;
}

function isPiped(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile() || stats.isSocket();
  } catch {
    return false;
  }
}

/** All of standard input. The program gets it whole, so it has to end first. */
export async function readStdin(): Promise<Buffer> {
  const progress = createProgress();
  const patience = setTimeout(() => progress.show("waiting for standard input to end (</dev/null gives the program none) …"), 1500);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of process.stdin) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > maxBytes)
        throw new CliError("Standard input is larger than 48 MiB.", {
          code: "payload_too_large",
          exit: "invalid_request",
          hint: "Send it as a file with --file.",
        });
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(patience);
    progress.clear();
  }
}
