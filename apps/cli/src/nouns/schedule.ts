import { scheduleCreateCommand } from "../commands/schedule-create.ts";
import { scheduleDeleteCommand } from "../commands/schedule-delete.ts";
import { scheduleDisableCommand } from "../commands/schedule-disable.ts";
import { scheduleEnableCommand } from "../commands/schedule-enable.ts";
import { scheduleListCommand } from "../commands/schedule-list.ts";
import { scheduleShowCommand } from "../commands/schedule-show.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla schedule` */
export const scheduleNoun = defineNoun("schedule", "programs that run again and again", [
  scheduleListCommand,
  scheduleShowCommand,
  scheduleCreateCommand,
  scheduleEnableCommand,
  scheduleDisableCommand,
  scheduleDeleteCommand,
]);
