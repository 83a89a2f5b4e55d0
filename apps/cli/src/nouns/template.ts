import { templateVerbs } from "../commands/template-verbs.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla template` */
export const templateNoun = defineNoun("template", "programs and compositions to begin with", templateVerbs());
