import { assetVerbs, defineDeleteAssetsCommand, versionVerbs } from "../commands/asset-verbs.ts";
import { modelCapListCommand, modelCapRemoveCommand, modelCapSetCommand } from "../commands/model-cap.ts";
import { modelCreateCommand } from "../commands/model-create.ts";
import { modelListCommand } from "../commands/model-list.ts";
import { modelShowCommand } from "../commands/model-show.ts";
import { modelTestCommand } from "../commands/model-test.ts";
import { modelUpdateCommand } from "../commands/model-update.ts";
import { modelCallsCommand, modelUsageCommand } from "../commands/model-usage.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla model` */
export const modelNoun = defineNoun("model", "language models, and what is spent on them", [
  modelListCommand,
  modelShowCommand,
  modelCreateCommand,
  modelUpdateCommand,
  modelTestCommand,
  modelUsageCommand,
  modelCallsCommand,
  ...versionVerbs("model"),
  ...assetVerbs("model"),
  defineDeleteAssetsCommand("model", "delete models, for now; what is bound to one fails from then on"),
  defineNoun("cap", "what others may spend on a model", [modelCapListCommand, modelCapSetCommand, modelCapRemoveCommand]),
]);
