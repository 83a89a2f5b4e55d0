import type { AssetVersion } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { findProgram } from "../programs/find-program.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

export const programPublishCommand: Command = defineServerCommand("publish", "publish what is there now as a version, and print its number")
  .argument("<program>", "its id, slug or name")
  .argument("[version]", "its number, e.g. 1.2.0; the next patch when left out")
  .option("-m, --message <text>", "what has changed")
  .action(async (word: string, version: string | undefined, flags: CommonFlags & { readonly message?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findProgram(syla, word);
    const published = await syla.assets.versions.publish(id, {
      ...(version === undefined ? {} : { version }),
      ...(flags.message === undefined ? {} : { message: flags.message }),
    });
    if (flags.json === true) printJson(published);
    else printLine(published.version);
  });

export const programVersionsCommand: Command = defineServerCommand("versions", "list the published versions of a program, highest first")
  .argument("<program>", "its id, slug or name")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
  .action(async (word: string, flags: CommonFlags & { readonly limit: string; readonly cursor?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findProgram(syla, word);
    const page = await syla.assets.versions.list(id, {
      limit: parsePageSize(flags.limit),
      ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
    });
    if (flags.json === true) return printJson(page);
    printTable<AssetVersion>(
      [
        { title: "version", value: (version) => version.version },
        { title: "created", value: (version) => (process.stdout.isTTY ? formatAge(version.createdAt) : version.createdAt) },
        { title: "by", value: (version) => plainLine(version.createdBy?.name ?? "-") },
        { title: "files", value: (version) => String(version.tree?.files ?? 0), align: "right" },
        { title: "message", value: (version) => plainLine(version.message) },
      ],
      page.items,
    );
  });
