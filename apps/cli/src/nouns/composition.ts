import { assetVerbs, defineDeleteAssetsCommand, versionVerbs } from "../commands/asset-verbs.ts";
import { compositionApprovalsCommand } from "../commands/composition-approvals.ts";
import { compositionCompileCommand } from "../commands/composition-compile.ts";
import { compositionCreateCommand, compositionImportCommand } from "../commands/composition-create.ts";
import { compositionApproveCommand, compositionRejectCommand } from "../commands/composition-decide.ts";
import { compositionExportCommand } from "../commands/composition-export.ts";
import { compositionListCommand } from "../commands/composition-list.ts";
import { compositionNodesCommand } from "../commands/composition-nodes.ts";
import { compositionPullCommand, compositionPushCommand } from "../commands/composition-push.ts";
import { compositionRunCommand } from "../commands/composition-run.ts";
import { compositionShowCommand } from "../commands/composition-show.ts";
import { compositionValidateCommand } from "../commands/composition-validate.ts";
import { defineNoun } from "./define-noun.ts";
import { sharing } from "./sharing.ts";

/** `syla composition` */
export const compositionNoun = defineNoun("composition", "typed graphs of steps that compile to Python", [
  compositionListCommand,
  compositionShowCommand,
  compositionCreateCommand,
  compositionImportCommand,
  compositionExportCommand,
  compositionRunCommand,
  compositionNodesCommand,
  compositionApprovalsCommand,
  compositionApproveCommand,
  compositionRejectCommand,
  compositionPushCommand,
  compositionPullCommand,
  compositionValidateCommand,
  compositionCompileCommand,
  ...versionVerbs("composition"),
  ...assetVerbs("composition"),
  defineDeleteAssetsCommand("composition", "delete compositions; they can be restored for 30 days"),
  ...sharing("asset"),
]);
