import { supportBundleCommand } from "../commands/support-bundle.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla support` */
export const supportNoun = defineNoun("support", "help from others", [supportBundleCommand]);
