import type { SandboxPool } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { showOrWatch, type WatchFlags } from "../output/watch.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** A jail of somebody, or all those of a kind that wait for an owner: each of these has one slot. */
interface PoolLine {
  readonly kind: string;
  readonly owner: string;
  readonly busy: number;
  readonly ready: number;
  readonly slots: number;
  readonly wanted: number;
  readonly usedAt: string | null;
}

export const poolsCommand: Command = defineServerCommand("pools", "the sandboxes that are kept ready, and who has them (administrators)")
  .option("-w, --watch", "draw again every second, until Ctrl-C")
  .action(async (flags: CommonFlags & WatchFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await showOrWatch(
      flags,
      () => syla.pools.list(),
      (items) => (flags.json === true ? printJson({ items }) : printPools(items)),
    );
  });

function printPools(pools: readonly SandboxPool[]): void {
  printTable<PoolLine>(
    [
      { title: "kind", value: (line) => plainLine(line.kind) },
      { title: "owner", value: (line) => plainLine(line.owner) },
      { title: "busy", value: (line) => (line.busy > 0 ? style(process.stdout, "blue", String(line.busy)) : "0"), align: "right" },
      { title: "ready", value: (line) => String(line.ready), align: "right" },
      { title: "slots", value: (line) => String(line.slots), align: "right" },
      { title: "wanted", value: (line) => String(line.wanted), align: "right" },
      { title: "used", value: (line) => (line.usedAt === null ? "-" : process.stdout.isTTY ? formatAge(line.usedAt) : line.usedAt) },
    ],
    pools.flatMap(toLines),
  );
}

function toLines({ kind, spares, wantedSpares, jails }: SandboxPool): PoolLine[] {
  const spare = { kind, owner: "(spare)", busy: 0, ready: spares, slots: spares, wanted: wantedSpares, usedAt: null };
  const owned = jails.map(({ owner, busy, ready, slots, wantedSlots: wanted, usedAt }) => ({
    kind,
    owner: owner === null ? "(server)" : (owner.email ?? owner.name ?? owner.id),
    busy,
    ready,
    slots,
    wanted,
    usedAt,
  }));
  return spares === 0 && wantedSpares === 0 ? owned : [spare, ...owned];
}
