import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { printJson, printLine } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { writeTar } from "../support/write-tar.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly output?: string;
  readonly lines: string;
}

export const supportBundleCommand: Command = defineServerCommand(
  "bundle",
  "an archive of what somebody needs to see who looks into a problem: versions, doctor, settings, log; without secrets",
)
  .option("-o, --output <file>", "the file to write, which must not be there yet (syla-support-TIME.tar.gz)")
  .option("-n, --lines <number>", "how many lines of the server's log", "1000")
  .action(async (flags: Flags) => {
    if (!/^\d{1,6}$/.test(flags.lines)) throw usageError(`"${flags.lines}" is not a number of lines.`, "Write -n 1000.");
    const now = new Date();
    const file = resolve(flags.output ?? `syla-support-${now.toISOString().slice(0, 19).replaceAll(":", "")}.tar.gz`);
    // it knows all routes, which no other command needs
    const { collectBundle } = await import("../support/collect-bundle.ts");
    const files = await collectBundle(process.env, { profile: flags.profile, logLines: Number(flags.lines) });
    writeNew(file, writeTar(files, now));
    if (flags.json === true) return printJson({ file, files: files.map(({ path }) => path) });
    printLine(file);
    note("it holds no keys, but addresses and paths: look through it before you pass it on");
  });

function writeNew(file: string, content: Buffer): void {
  try {
    writeFileSync(file, content, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new CliError(isThere ? `The file ${file} is there already.` : `${file} cannot be written: ${(cause as Error).message}`, {
      code: isThere ? "file_exists" : "cannot_write",
      exit: "cannot_create",
      hint: "Name another with --output.",
      cause,
    });
  }
}
