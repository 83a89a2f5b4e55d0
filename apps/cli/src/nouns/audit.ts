import { auditExportCommand } from "../commands/audit-export.ts";
import { auditListCommand } from "../commands/audit-list.ts";
import { auditVerifyCommand } from "../commands/audit-verify.ts";
import { defineNoun } from "./define-noun.ts";

/** `syla audit` */
export const auditNoun = defineNoun("audit", "who did what", [auditListCommand, auditExportCommand, auditVerifyCommand]);
