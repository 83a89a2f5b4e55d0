import type { Sandbox } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { describeNetwork, describeNetworkUse } from "../output/network.ts";
import { printFields, printJson } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxShowCommand: Command = defineServerCommand("show", "show a sandbox: state, times, use, ports")
  .argument("<sandbox>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const sandbox = await syla.sandboxes.get(id);
    const live = sandbox.status === "running" ? syla.sandboxes.open(id) : null;
    const stats = (await live?.stats()) ?? null;
    const ports = (await live?.ports()) ?? [];
    const usage = (await live?.network())?.usage ?? null;
    if (flags.json === true) return printJson({ ...sandbox, stats, ports, usage });
    printFields([
      ["id", sandbox.id],
      ["name", plainLine(sandbox.name)],
      ["status", sandbox.status + (sandbox.pauseReason === null ? "" : ` (${sandbox.pauseReason})`)],
      ["language", plainLine(sandbox.language)],
      ...(sandbox.program === null ? [] : ([["program", describeProgram(sandbox.program)]] as const)),
      ["network", describeNetwork(sandbox.network) + (usage === null ? "" : `: ${describeNetworkUse(usage)}`)],
      ["created", sandbox.createdAt],
      ["ends", sandbox.endedAt ?? sandbox.expiresAt],
      ...(sandbox.endReason === null ? [] : ([["reason", sandbox.endReason]] as const)),
      ...(sandbox.error === null ? [] : ([["error", plainLine(`${sandbox.error.message} ${sandbox.error.hint}`)]] as const)),
      ...(stats === null
        ? []
        : ([
            ["used", `${stats.processes} processes, ${formatBytes(stats.memoryBytes)} memory, ${formatBytes(stats.diskBytes)} disk`],
          ] as const)),
      ...(ports.length === 0 ? [] : ([["ports", ports.map(({ port }) => port).join(", ")]] as const)),
    ]);
  });

function describeProgram({ id, name, version }: NonNullable<Sandbox["program"]>): string {
  return `${plainLine(name)}${version === null ? "" : ` ${plainLine(version)}`} (${id})`;
}
