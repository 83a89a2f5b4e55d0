import type { Check } from "@syla/contracts/system";
import type { DoctorReport } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { examine } from "../doctor/examine.ts";
import { findRepairs, type Repair } from "../doctor/repairs.ts";
import { note } from "../output/progress.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly fix?: boolean;
  readonly dryRun?: boolean;
}

/** What became of a repair. */
interface Repaired extends Pick<Repair, "problem" | "step"> {
  readonly outcome: "open" | "done" | "failed";
  readonly reason: string | null;
}

export const doctorCommand: Command = defineServerCommand(
  "doctor",
  "what is present, which tiers and limits can be enforced, and what to do about each gap",
)
  .option("--fix", "put right what can be put right here without asking: open key files, what killed processes left, uv")
  .option("--dry-run", "with --fix: only say what would be done")
  .action(async (flags: Flags) => {
    if (flags.dryRun === true && flags.fix !== true) throw usageError("--dry-run goes with --fix.", "Write syla doctor --fix --dry-run.");
    const repairs = findRepairs(process.env).map((repair) =>
      flags.fix === true && flags.dryRun !== true ? carryOut(repair, flags) : leave(repair, flags),
    );
    const { checks, tiers } = await examine(flags.profile);
    if (flags.json === true) printJson({ checks, tiers, repairs });
    else printReport(checks, tiers, flags.fix === true ? [] : repairs);
    const failed = repairs.some(({ outcome }) => outcome === "failed");
    process.exitCode = failed || checks.some((check) => check.status === "error") ? 1 : 0;
  });

function carryOut({ problem, step, apply }: Repair, flags: Flags): Repaired {
  const tell = (text: string) => flags.json !== true && note(plainLine(text));
  try {
    apply();
    tell(`${problem}: ${step}. Done.`);
    return { problem, step, outcome: "done", reason: null };
  } catch (error) {
    const reason = (error as Error).message;
    tell(`${problem}: ${step}. That failed: ${reason}`);
    return { problem, step, outcome: "failed", reason };
  }
}

function leave({ problem, step }: Repair, flags: Flags): Repaired {
  if (flags.dryRun === true && flags.json !== true) note(plainLine(`${problem}: would ${step}`));
  return { problem, step, outcome: "open", reason: null };
}

function printReport(checks: readonly Check[], tiers: DoctorReport["tiers"], repairs: readonly Repaired[]): void {
  printTable<Check>(
    [
      { title: "check", value: (check) => plainLine(check.name) },
      { title: "status", value: (check) => styleStatus(process.stdout, check.status) },
      { title: "detail", value: (check) => plainLine(check.detail) },
    ],
    checks,
  );
  const fixes = checks.filter((check) => check.fix !== null);
  if (fixes.length > 0) printLine("\nWhat to do:");
  for (const check of fixes) printLine(`  ${plainLine(check.name)}: ${plainLine(check.fix ?? "")}`);
  if (repairs.length > 0) printLine("\nWhat `syla doctor --fix` would do:");
  for (const { problem, step } of repairs) printLine(plainLine(`  ${problem}: ${step}`));
  for (const tier of tiers) {
    printLine(
      `\nTier ${plainLine(tier.tier)}: ${tier.available ? plainLine(tier.walls.join(", ")) : `not available: ${plainLine(tier.reason ?? "")}`}`,
    );
    for (const [limit, enforcer] of Object.entries(tier.limits)) printLine(`  ${plainLine(limit).padEnd(14)}${plainLine(enforcer)}`);
  }
}
