import type { Command } from "commander";
import { connect } from "../connection.ts";
import { writeDocument } from "../accounts/write-document.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

interface Flags extends CommonFlags {
  readonly reason: string;
  readonly output?: string;
}

export const adminUsersExportCommand: Command = defineServerCommand(
  "export",
  "write everything about a person as one JSON document, to a file or to stdout",
)
  .argument("<user>", "id or e-mail address")
  .requiredOption("--reason <text>", "why; kept in the audit trail")
  .option("-o, --output <file>", "a new file, readable by you only")
  .action(async (named: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await writeDocument(await syla.users.export((await findUser(syla, named)).id, flags.reason), flags.output);
  });
