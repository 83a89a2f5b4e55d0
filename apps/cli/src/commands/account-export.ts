import type { Command } from "commander";
import { writeDocument } from "../accounts/write-document.ts";
import { connect } from "../connection.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const accountExportCommand: Command = defineServerCommand(
  "export",
  "write everything about you as one JSON document, to a file or to stdout",
)
  .option("-o, --output <file>", "a new file, readable by you only")
  .action(async (flags: CommonFlags & { readonly output?: string }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await writeDocument(await syla.account.export(), flags.output);
  });
