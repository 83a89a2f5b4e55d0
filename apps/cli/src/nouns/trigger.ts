import { triggerCallsCommand } from "../commands/trigger-calls.ts";
import { triggerCreateCommand } from "../commands/trigger-create.ts";
import { triggerDeleteCommand } from "../commands/trigger-delete.ts";
import { triggerListCommand } from "../commands/trigger-list.ts";
import { triggerRotateCommand } from "../commands/trigger-rotate.ts";
import { triggerUpdateCommand } from "../commands/trigger-update.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla trigger` */
export const triggerNoun = defineNoun("trigger", "addresses whose calls start runs", [
  triggerListCommand,
  triggerCreateCommand,
  triggerUpdateCommand,
  triggerCallsCommand,
  triggerRotateCommand,
  triggerDeleteCommand,
]);
