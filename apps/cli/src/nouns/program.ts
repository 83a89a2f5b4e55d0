import { assetVerbs, defineDeleteAssetsCommand, versionVerbs } from "../commands/asset-verbs.ts";
import { programAnalyzeCommand } from "../commands/program-analyze.ts";
import { programCreateCommand } from "../commands/program-create.ts";
import { programImportCommand } from "../commands/program-import.ts";
import { programListCommand, programSearchCommand } from "../commands/program-list.ts";
import { programPullCommand, programPushCommand } from "../commands/program-push.ts";
import { programSetCommand } from "../commands/program-set.ts";
import { programShellCommand } from "../commands/program-shell.ts";
import { programShowCommand } from "../commands/program-show.ts";
import { defineTemplatesCommand } from "../commands/program-templates.ts";
import { defineNoun } from "./define-noun.ts";
import { sharing } from "./sharing.ts";

/** `syla program` */
export const programNoun = defineNoun("program", "programs in the catalog", [
  programListCommand,
  programSearchCommand,
  programShowCommand,
  programShellCommand,
  programCreateCommand,
  programSetCommand,
  programImportCommand,
  defineTemplatesCommand("templates"),
  programAnalyzeCommand,
  programPushCommand,
  programPullCommand,
  ...versionVerbs("program"),
  ...assetVerbs("program"),
  defineDeleteAssetsCommand("program", "delete programs; they can be restored for 30 days"),
  ...sharing("asset"),
]);
