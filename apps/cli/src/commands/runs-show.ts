import type { Run, RunError, RunTransition } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { describeConnection, describeNetwork, describeNetworkUse } from "../output/network.ts";
import { dollars } from "../models/dollars.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { completeError, describePlace, renderExcerpt } from "../output/run-error.ts";
import { styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** So many of what a run left are listed. */
const mostArtifacts = 200;

export const runsShowCommand: Command = defineServerCommand("show", "show a run: state, result, limits")
  .argument("<run>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const run = await syla.runs.get(id);
    if (flags.json === true) return printJson(run);
    printFields(fieldsOf(run));
    if (run.error !== null) printError(completeError(run.error));
    if (run.limits !== null) printLine("\nLimits:");
    for (const [name, limit] of Object.entries(run.limits ?? {}))
      printLine(`  ${name.padEnd(14)}${name.endsWith("Bytes") ? formatBytes(limit.value) : limit.value} (${limit.enforcedBy})`);
    const { connections, omitted } = (run.usage?.network?.connections ?? 0) > 0 ? await syla.runs.network(id) : noConnections;
    if (connections.length > 0) printLine("\nConnections:");
    for (const connection of connections) printLine(`  ${describeConnection(connection)}`);
    if (omitted > 0) printLine(`  and ${omitted} more`);
    printLine("\nHistory:");
    for (const step of await syla.runs.transitions(id)) printLine(`  ${describeTransition(step)}`);
    if (run.artifactCount > 0) printLine("\nArtifacts:");
    if (run.artifactCount === 0) return;
    const { items } = await syla.runs.listArtifacts(id, { limit: mostArtifacts });
    for (const artifact of items) printLine(`  ${formatBytes(artifact.size).padStart(10)}  ${plainLine(artifact.path)}`);
    if (run.artifactCount > items.length)
      printLine(`  and ${run.artifactCount - items.length} more: \`syla runs download ${id}\` saves them`);
  });

function describeTransition({ status, at, attempt, workerId, cause }: RunTransition): string {
  const facts = [...(attempt > 1 ? [`attempt ${attempt}`] : []), ...(cause === null ? [] : [plainLine(cause)])];
  const worker = workerId !== null && status === "starting" ? ` by ${plainLine(workerId)}` : "";
  return `${at}  ${status}${worker}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
}

/** The lines around the failure, and how the program came there. */
function printError(error: RunError): void {
  if (error.excerpt !== null) printLine(`\n${renderExcerpt(process.stdout, error).trimEnd()}`);
  if (error.frames.length < 2) return;
  printLine("\nHow it came there:");
  for (const frame of error.frames)
    printLine(`  ${plainLine(`${frame.path}:${frame.line}${frame.function === null ? "" : ` in ${frame.function}`}`)}`);
}

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
    ["walls", run.walls.join(", ")],
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
  const llm = run.usage?.llm ?? null;
  if (llm !== null)
    fields.push(["models", `${llm.calls} calls, ${llm.inputTokens} tokens in, ${llm.outputTokens} out, ${dollars(llm.cost)}`]);
  const error = run.error === null ? null : completeError(run.error);
  if (error !== null) {
    fields.push(["error", `${plainLine(error.message)} (${error.code})`]);
    for (const cause of error.causes) fields.push(["from", plainLine(cause)]);
    if (error.location !== null) fields.push(["at", describePlace(error.location)]);
    fields.push(["hint", plainLine(error.suggestion?.text ?? error.hint)]);
  }
  return fields;
}
