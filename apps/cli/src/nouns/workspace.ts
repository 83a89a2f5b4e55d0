import { workspaceEnds, workspaceVerbs } from "../commands/workspace-verbs.ts";
import { defineNoun } from "./define-noun.ts";
import { sharing } from "./sharing.ts";

/** `syla workspace` */
export const workspaceNoun = defineNoun("workspace", "trees of files in which runs happen", [
  ...workspaceVerbs(),
  ...workspaceEnds(),
  ...sharing("workspace"),
]);
