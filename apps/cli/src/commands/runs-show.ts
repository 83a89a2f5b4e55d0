import type { Run } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { describeConnection, describeNetwork, describeNetworkUse } from "../output/network.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const runsShowCommand: Command = defineServerCommand("show", "show a run: state, result, limits")
  .argument("<run>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const run = await syla.runs.get(id);
    if (flags.json === true) return printJson(run);
    printFields(fieldsOf(run));
    if (run.limits !== null) printLine("\nLimits:");
    for (const [name, limit] of Object.entries(run.limits ?? {}))
      printLine(`  ${name.padEnd(14)}${name.endsWith("Bytes") ? formatBytes(limit.value) : limit.value} (${limit.enforcedBy})`);
    const { connections, omitted } = (run.usage?.network?.connections ?? 0) > 0 ? await syla.runs.network(id) : noConnections;
    if (connections.length > 0) printLine("\nConnections:");
    for (const connection of connections) printLine(`  ${describeConnection(connection)}`);
    if (omitted > 0) printLine(`  and ${omitted} more`);
    if (run.artifactCount > 0) printLine("\nArtifacts:");
    for (const artifact of run.artifactCount > 0 ? await syla.runs.artifacts(id) : [])
      printLine(`  ${formatBytes(artifact.size).padStart(10)}  ${plainLine(artifact.path)}`);
  });

const noConnections = { connections: [], omitted: 0 };

function fieldsOf(run: Run): [string, string][] {
  const { queueMs, startMs, compileMs, compileCached, runMs, totalMs } = run.timings;
  const fields: [string, string][] = [
    ["id", run.id],
    ["status", styleStatus(process.stdout, run.status) + (run.phase === null ? "" : ` (${plainLine(run.phase)})`)],
    ["exit", run.signal ?? (run.exitCode === null ? "-" : String(run.exitCode))],
    [
      "program",
      `${plainLine(run.language)}${run.runtimeVersion === null ? "" : ` ${plainLine(run.runtimeVersion)}`}, ${plainLine(run.entrypoint)}`,
    ],
    [
      "time",
      `${formatDuration(totalMs)} (queue ${formatDuration(queueMs)}${compileMs === null ? "" : `, compile ${compileCached === true ? "done before" : formatDuration(compileMs)}`}, start ${formatDuration(startMs)}, run ${formatDuration(runMs)})`,
    ],
    ["tier", run.tier],
    ["network", describeNetwork(run.network) + (run.usage?.network ? `: ${describeNetworkUse(run.usage.network)}` : "")],
    ["created", run.createdAt],
    [
      "output",
      `${formatBytes(run.output.stdoutBytes)} stdout, ${formatBytes(run.output.stderrBytes)} stderr${run.truncated ? ", truncated" : ""}`,
    ],
  ];
  if (run.usage !== null)
    fields.push([
      "used",
      `${formatDuration(run.usage.cpuMs)} CPU${run.usage.peakMemoryBytes === null ? "" : `, ${formatBytes(run.usage.peakMemoryBytes)}`}`,
    ]);
  if (run.error !== null)
    fields.push(["error", `${plainLine(run.error.message)} (${run.error.code})`], ["hint", plainLine(run.error.hint)]);
  return fields;
}
