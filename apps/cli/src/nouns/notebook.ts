import { notebookRunCommand } from "../commands/notebook-run.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla notebook` */
export const notebookNoun = defineNoun("notebook", "code, text and what came of it in one file", [notebookRunCommand]);
