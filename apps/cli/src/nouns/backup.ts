import { backupVerbs } from "../commands/backup.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla backup` */
export const backupNoun = defineNoun("backup", "backups of the installation, and of workspaces", backupVerbs());
