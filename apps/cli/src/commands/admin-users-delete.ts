import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

interface Flags extends CommonFlags {
  readonly yes?: boolean;
  readonly transferTo?: string;
}

export const adminUsersDeleteCommand: Command = defineServerCommand("delete", "delete an account for good, with what it has")
  .argument("<user>", "id or e-mail address")
  .option("-y, --yes", "also when it has runs, assets or sandboxes")
  .option("--transfer-to <user>", "who gets its runs and assets")
  .action(async (named: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, name, holdings } = await syla.users.get((await findUser(syla, named)).id);
    const { runs, assets, sandboxes } = holdings;
    const heir = flags.transferTo === undefined ? undefined : await findUser(syla, flags.transferTo);
    if (heir === undefined && runs + assets + sandboxes > 0 && flags.yes !== true)
      throw usageError(
        `${plainLine(name)} has ${runs} runs, ${assets} assets and ${sandboxes} sandboxes, which would be deleted.`,
        "Add --transfer-to to give runs and assets to somebody, or --yes to delete them.",
      );
    await syla.users.delete(id, heir === undefined ? {} : { transferTo: heir.id });
    if (flags.json === true) printJson({ deleted: id });
    else printLine(`${plainLine(name)} is deleted`);
  });
