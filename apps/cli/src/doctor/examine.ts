import type { Check } from "@syla/contracts/system";
import type { DoctorReport } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { checkMachine } from "../local-server/check-machine.ts";
import { defaultDataDir } from "../settings/home.ts";

/** What was found. */
export interface Examination {
  readonly checks: readonly Check[];
  readonly tiers: DoctorReport["tiers"];
}

/** This machine, when the server is to run here; and what the server says, when it runs. */
export async function examine(profile?: string): Promise<Examination> {
  try {
    const { syla, target } = await connect({ env: process.env, profile });
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
