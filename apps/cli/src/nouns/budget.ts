import { budgetListCommand, budgetRemoveCommand, budgetSetCommand } from "../commands/budget.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla budget` */
export const budgetNoun = defineNoun("budget", "what is meant to be spent on models", [
  budgetListCommand,
  budgetSetCommand,
  budgetRemoveCommand,
]);
