import { accountDeleteCommand } from "../commands/account-delete.ts";
import { accountEmailCommand } from "../commands/account-email.ts";
import { accountExportCommand } from "../commands/account-export.ts";
import { accountPasswordCommand } from "../commands/account-password.ts";
import { accountSetCommand } from "../commands/account-set.ts";
import { accountShowCommand } from "../commands/account-show.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla account` */
export const accountNoun = defineNoun("account", "your own account", [
  accountShowCommand,
  accountSetCommand,
  accountEmailCommand,
  accountPasswordCommand,
  accountExportCommand,
  accountDeleteCommand,
]);
