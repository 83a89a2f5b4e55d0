import type { AuditVerification } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const auditVerifyCommand: Command = defineServerCommand(
  "verify",
  "check that no sealed event was changed, removed or added; exits with 1 if one was (administrators)",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const verification = await syla.audit.verify();
  if (!verification.ok) process.exitCode = 1;
  if (flags.json === true) return printJson(verification);
  printVerification(verification);
});

function printVerification({ problem, events, seals, unsealed, anchor, head }: AuditVerification): void {
  if (problem === null) printLine(style(process.stdout, "green", "The audit trail is as it was sealed."));
  else printLine(style(process.stdout, "red", plainLine(problem.message)));
  const fields: [string, string][] = [
    ["checked", `${events} events in ${seals} seals`],
    ["not sealed yet", `${unsealed} events`],
    ["begins after", `seal ${anchor.seal}`],
    ["head", `seal ${head.seal}, ${plainLine(head.hash)}`],
  ];
  printFields(problem === null ? fields : [["event", plainLine(problem.eventId ?? "-")], ["seal", String(problem.seal)], ...fields]);
}
