import type { ArtifactDiff, MetricDiff, OutputDiff, RunComparison } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { printFileDiff, printHunks } from "../output/file-diff.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { style, styleStatus } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const runsCompareCommand: Command = defineServerCommand("compare", "show what differs between two runs")
  .argument("<before>", "a run's id")
  .argument("<after>", "another's")
  .action(async (before: string, after: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const comparison = await syla.runs.compare(before, after);
    if (flags.json === true) printJson(comparison);
    else printComparison(comparison);
  });

function printComparison({ from, to, config, files, omittedFiles, stdout, stderr, artifacts, metrics, models }: RunComparison): void {
  for (const [word, run] of [
    ["before", from],
    ["after ", to],
  ] as const)
    printLine(`${word}  ${run.id}  ${styleStatus(process.stdout, run.status)}  ${plainLine(run.error?.message ?? run.entrypoint)}`);
  heading("Configuration");
  for (const { field, from: one, to: other } of config)
    printLine(plainLine(`${field}: ${JSON.stringify(one)} -> ${JSON.stringify(other)}`));
  if (config.length === 0) printLine("nothing differs");
  heading("Files");
  files.forEach(printFileDiff);
  if (omittedFiles > 0) printLine(`… and ${omittedFiles} more files`);
  if (files.length === 0) printLine("nothing differs");
  printOutput("stdout", stdout);
  printOutput("stderr", stderr);
  heading("Figures");
  printTable<MetricDiff>(
    [
      { title: "figure", value: ({ metric }) => metric },
      { title: "before", value: ({ metric, from: one }) => figure(metric, one), align: "right" },
      { title: "after", value: ({ metric, to: other }) => figure(metric, other), align: "right" },
      { title: "ratio", value: ({ ratio }) => (ratio === null ? "-" : ratio.toPrecision(3)), align: "right" },
    ],
    metrics,
  );
  if (models.length > 0) heading("Calls of models");
  for (const { model, from: one, to: other } of models)
    printLine(plainLine(`${model}: ${one.calls} calls, ${dollars(one.cost)} -> ${other.calls} calls, ${dollars(other.cost)}`));
  const changed = artifacts.filter(({ status }) => status !== "equal");
  if (changed.length > 0) heading("Artifacts");
  changed.forEach(printArtifact);
}

function heading(text: string): void {
  printLine(`\n${style(process.stdout, "bold", text)}`);
}

function printOutput(name: string, { equal, hunks, cut }: OutputDiff): void {
  if (equal) return;
  heading(`${name}${cut ? " (the first 256 KiB)" : ""}`);
  if (hunks === null) printLine("They differ, and are no text.");
  else if (hunks.length === 0) printLine("nothing differs in what was compared");
  else printHunks(hunks);
}

function printArtifact({ path, status, from, to }: ArtifactDiff): void {
  const size = (side: ArtifactDiff["from"]) => (side === null ? "-" : formatBytes(side.size));
  printLine(plainLine(`${status.padEnd(8)} ${path}  ${size(from)} -> ${size(to)}`));
}

function figure(metric: string, value: number | null): string {
  if (value === null) return "-";
  if (metric === "cost") return dollars(value);
  if (metric.endsWith("Ms")) return formatDuration(value);
  return metric.endsWith("Bytes") ? formatBytes(value) : String(value);
}
