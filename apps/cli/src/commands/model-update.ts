import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { findModel } from "../models/find-model.ts";
import { configOf, type ModelFlags, modelOptions, secretHeadersOf } from "../models/model-flags.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const modelUpdateCommand: Command = defineCommand();

function defineCommand(): Command {
  const command = defineServerCommand(
    "update",
    "change a model's prices, credential, defaults, limits, who may select it, and what is kept",
  ).argument("<model>", "its id, slug or name");
  for (const option of modelOptions()) command.addOption(option);
  command.option("--credential <credential>", "id or name of another credential of its owner");
  return command.action(async (word: string, flags: CommonFlags & ModelFlags & { readonly credential?: string }) => {
    const { visibility, credential } = flags;
    const changesConfig = Object.keys(configOf(flags)).length > 0 || credential !== undefined || flags.secretHeader !== undefined;
    if (!changesConfig && visibility === undefined) throw usageError("Say what changes.", "For example: --role developer admin.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id, config, owner, revision } = await findModel(syla, word);
    if (config === null) throw usageError("You may see this model, and not change it.", "Ask its owner for the level `edit`.");
    const keyed = credential === undefined ? {} : { credentialId: (await findCredential(syla, credential, owner.id)).id };
    const secret = await secretHeadersOf(syla, flags, owner.id, config.secretHeaders);
    const changed = await syla.models.update(id, {
      ...(changesConfig && { config: { ...config, ...configOf(flags, config), ...keyed, ...secret } }),
      ...(visibility !== undefined && { visibility }),
      revision,
    });
    if (flags.json === true) printJson(changed);
    else printLine(`${plainLine(changed.name)} is changed.`);
  });
}
