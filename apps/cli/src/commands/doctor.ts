import type { Check } from "@syla/contracts/system";
import type { DoctorReport } from "@syla/sdk";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { checkMachine } from "../local-server/check-machine.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { defaultDataDir } from "../settings/home.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const doctorCommand: Command = defineServerCommand(
  "doctor",
  "what is present, which tiers and limits can be enforced, and what to do about each gap",
).action(async (flags: CommonFlags) => {
  const { checks, tiers } = await examine(flags);
  if (flags.json === true) printJson({ checks, tiers });
  else printReport(checks, tiers);
  process.exitCode = checks.some((check) => check.status === "error") ? 1 : 0;
});

/** This machine, when the server is to run here; and what the server says, when it runs. */
async function examine(flags: CommonFlags): Promise<{ checks: readonly Check[]; tiers: DoctorReport["tiers"] }> {
  try {
    const { syla, target } = await connect({ env: process.env, profile: flags.profile });
    const local = target.source === "local" ? await checkMachine(defaultDataDir(process.env)) : [];
    const server = await syla.server.doctor();
    const reached: Check = { name: "server", status: "ok", detail: `answers at ${target.url}`, fix: null };
    const named = new Set(server.checks.map((check) => check.name));
    return { checks: [...local.filter((check) => !named.has(check.name)), reached, ...server.checks], tiers: server.tiers };
  } catch (error) {
    if (!(error instanceof CliError && error.code === "server_not_running")) throw error;
    const stopped: Check = {
      name: "server",
      status: "warning",
      detail: "not running, so its tiers and limits are not known",
      fix: "syla up --detach",
    };
    return { checks: [...(await checkMachine(defaultDataDir(process.env))), stopped], tiers: [] };
  }
}

function printReport(checks: readonly Check[], tiers: DoctorReport["tiers"]): void {
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
  for (const tier of tiers) {
    printLine(
      `\nTier ${plainLine(tier.tier)}: ${tier.available ? plainLine(tier.walls.join(", ")) : `not available: ${plainLine(tier.reason ?? "")}`}`,
    );
    for (const [limit, enforcer] of Object.entries(tier.limits)) printLine(`  ${plainLine(limit).padEnd(14)}${plainLine(enforcer)}`);
  }
}
