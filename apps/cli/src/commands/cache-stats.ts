import type { Command } from "commander";
import { connect } from "../connection.ts";
import { formatBytes } from "../output/units.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const cacheStatsCommand: Command = defineServerCommand("stats", "how many results are kept, and how often they were used").action(
  async (flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const stats = await syla.cache.stats();
    if (flags.json === true) return printJson(stats);
    const asked = stats.hits + stats.misses;
    const share = asked === 0 ? "" : ` (${Math.round((100 * stats.hits) / asked)} % hits)`;
    printLine(`results of yours  ${stats.entries}`);
    printLine(`since the start   ${stats.hits} hits, ${stats.misses} misses${share}`);
    printLine(`in memory         ${stats.memory.entries} of all users, ${formatBytes(stats.memory.bytes)}`);
    printLine(`Redis             ${stats.redis}`);
  },
);
