import type { SandboxFile } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly depth: string;
}

export const sandboxLsCommand: Command = defineServerCommand("ls", "list a folder of a sandbox")
  .argument("<sandbox>", "its id")
  .argument("[path]", "the folder", "/workspace")
  .option("-d, --depth <number>", "how many levels, at most 32", "1")
  .action(async (id: string, path: string, flags: Flags) => {
    const depth = Number(flags.depth);
    if (!Number.isInteger(depth) || depth < 1 || depth > 32)
      throw usageError(`"${flags.depth}" is not a number from 1 to 32.`, "Write -d 3.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const listing = await syla.sandboxes.open(id).files.list(path, { depth });
    if (flags.json === true) return printJson(listing);
    printTable<SandboxFile>(
      [
        { title: "mode", value: (file) => file.mode.toString(8).padStart(4, "0") },
        { title: "size", value: (file) => (file.kind === "file" ? formatBytes(file.size) : file.kind), align: "right" },
        { title: "path", value: (file) => plainLine(file.path) },
      ],
      listing.items,
    );
    if (listing.truncated) note("there is more; name a folder further down");
  });
