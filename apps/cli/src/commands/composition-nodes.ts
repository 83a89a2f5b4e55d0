import type { NodeLlm, NodeRun } from "@syla/sdk";
import type { Command } from "commander";
import { describeLlm, describeSaved } from "../compositions/describe-use.ts";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { note } from "../output/progress.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

function timeOf({ startedAt, endedAt }: NodeRun): string {
  return startedAt === null || endedAt === null ? "-" : formatDuration(Date.parse(endedAt) - Date.parse(startedAt));
}

const ofLlm = (show: (llm: NodeLlm) => string) => ({
  align: "right" as const,
  value: ({ llm }: NodeRun) => (llm === null ? "-" : show(llm)),
});

export const compositionNodesCommand: Command = defineServerCommand(
  "nodes",
  "list how the nodes of a run stand: time, calls of models, tokens, cost, and what was saved",
)
  .argument("<run>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const report = await syla.compositionRuns.report(id);
    if (flags.json === true) return printJson(report);
    printTable<NodeRun>(
      [
        { title: "node", value: ({ path }) => path },
        { title: "what", value: ({ label, kind }) => plainLine(label === "" ? kind : label) },
        { title: "state", value: ({ state }) => state },
        { title: "time", align: "right", value: timeOf },
        { title: "calls", ...ofLlm(({ calls }) => String(calls)) },
        { title: "tokens in", ...ofLlm(({ inputTokens }) => String(inputTokens)) },
        { title: "out", ...ofLlm(({ outputTokens }) => String(outputTokens)) },
        { title: "cost", ...ofLlm(({ cost }) => dollars(cost)) },
        { title: "saved", value: ({ saved }) => (saved === null ? "-" : describeSaved(saved)) },
      ],
      report.items,
    );
    if (report.ofNoNode !== null) note(`of no node: ${describeLlm(report.ofNoNode)}`);
  });
