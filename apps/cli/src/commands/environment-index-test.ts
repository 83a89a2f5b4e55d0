import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findPackageIndex } from "../programs/package-indexes.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const environmentIndexTestCommand: Command = defineServerCommand("test", "ask a package index for a package, as a build would")
  .argument("<index>", "its id or name")
  .argument("[package]", "that it should have; when left out, the first whole name among its packages")
  .action(async (word: string, name: string | undefined, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { language, url, packages, credentialId, owner } = await findPackageIndex(syla, word);
    const test = await syla.packageIndexes.test({
      language,
      url,
      packages,
      credentialId,
      ownerId: owner.id,
      ...(name !== undefined && { package: name }),
    });
    if (flags.json === true) printJson(test);
    if (!test.ok && flags.json === true) process.exitCode = 1;
    else if (!test.ok)
      throw new CliError(`${test.code}: ${plainLine(test.message ?? "")}`, {
        code: "index_test_failed",
        exit: "unavailable",
        hint: "`syla environment index update` changes its address and its credential.",
      });
    else if (flags.json !== true) printLine(test.package === null ? "It answers." : `It has ${plainLine(test.package)}.`);
  });
