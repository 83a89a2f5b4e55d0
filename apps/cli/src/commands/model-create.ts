import type { ModelProvider } from "@syla/contracts/model-config";
import { modelProviders } from "@syla/contracts/model-providers";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { findCredential } from "../credentials/find-credential.ts";
import { configOf, type ModelFlags, modelOptions, secretHeadersOf } from "../models/model-flags.ts";
import { printJson, printLine } from "../output/print.ts";
import { findOwner, type OwnerFlags, ownerOptions } from "../teams/find-owner.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, ModelFlags, OwnerFlags {
  readonly provider: ModelProvider;
  readonly model: string;
  readonly credential?: string;
  readonly baseUrl?: string;
  readonly apiVersion?: string;
  readonly project?: string;
}

export const modelCreateCommand: Command = [
  ...modelOptions(),
  ...ownerOptions("of a team of yours", "of the system: everybody may select it, administrators alone change it"),
]
  .reduce((command, option) => command.addOption(option), defineServerCommand("create", "add a model, and print its id"))
  .argument("<name>", "what you call it")
  .addOption(new Option("--provider <provider>", "who answers").choices(modelProviders).makeOptionMandatory())
  .requiredOption("--model <id>", "what the provider calls it")
  .option("--credential <credential>", "id or name of the credential with the provider's key")
  .option("--base-url <url>", "where the provider is, when it is not its own address")
  .option("--api-version <version>", "for Azure and watsonx")
  .option("--project <id>", "for watsonx")
  .action(async (name: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const ownerId = await findOwner(syla, flags);
    const credentialId = flags.credential === undefined ? null : (await findCredential(syla, flags.credential, ownerId)).id;
    const model = await syla.models.create({
      name,
      ...(ownerId === undefined ? {} : { ownerId }),
      ...(flags.visibility === undefined ? {} : { visibility: flags.visibility }),
      config: {
        provider: flags.provider,
        modelId: flags.model,
        credentialId,
        baseUrl: flags.baseUrl ?? null,
        apiVersion: flags.apiVersion ?? null,
        projectId: flags.project ?? null,
        ...configOf(flags),
        ...(await secretHeadersOf(syla, flags, ownerId)),
      },
    });
    if (flags.json === true) printJson(model);
    else printLine(model.id);
  });
