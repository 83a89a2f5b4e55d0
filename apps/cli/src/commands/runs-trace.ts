import type { RunTrace, Span } from "@syla/sdk";
import type { Command } from "commander";
import { describeSaved, plural } from "../compositions/describe-use.ts";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatDuration } from "../output/units.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const nameWidth = 34;
const barWidth = 40;

export const runsTraceCommand: Command = defineServerCommand("trace", "show what a run consisted of: phases and model calls, to scale")
  .argument("<run>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const trace = await syla.runs.trace(id);
    if (flags.json === true) return printJson(trace);
    const whole = Math.max(1, trace.durationMs ?? 0, ...trace.spans.map((span) => span.startMs + (span.durationMs ?? 0)));
    for (const { span, level } of inOrder(trace)) printLine(lineOf(span, level, whole));
    if (trace.omittedNodes > 0) printLine(`and ${plural(trace.omittedNodes, "later node")}`);
    if (trace.omitted > 0) printLine(`and ${trace.omitted} later calls of models`);
    printLine(`\ntrace ${trace.traceId}${trace.parentSpanId === null ? "" : `, in span ${trace.parentSpanId}`}`);
    const { totals } = trace;
    if (totals !== null)
      printLine(`models ${totals.calls} calls, ${totals.inputTokens} tokens in, ${totals.outputTokens} out, ${dollars(totals.cost)}`);
  });

/** The parts of each span behind it, the earlier ones first. */
function inOrder({ spans }: RunTrace): { span: Span; level: number }[] {
  const parts = Map.groupBy(spans, (span) => span.parentId);
  const under = (parentId: string | null, level: number): { span: Span; level: number }[] =>
    (parts.get(parentId) ?? [])
      .toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((span) => [{ span, level }, ...under(span.id, level + 1)]);
  return under(null, 0);
}

function lineOf(span: Span, level: number, whole: number): string {
  const name = `${"  ".repeat(level)}${plainLine(span.name)}`;
  const shown = name.length > nameWidth ? `${name.slice(0, nameWidth - 1)}…` : name.padEnd(nameWidth);
  const first = Math.min(barWidth - 1, Math.floor((span.startMs / whole) * barWidth));
  const length = Math.max(1, Math.round(((span.durationMs ?? whole - span.startMs) / whole) * barWidth));
  const bar = `${" ".repeat(first)}${"█".repeat(Math.min(length, barWidth - first))}`.padEnd(barWidth);
  const { llm, node } = span;
  const facts = [
    formatDuration(span.durationMs),
    ...(span.status === "ok" ? [] : [span.status]),
    ...(llm === null ? [] : [`${llm.inputTokens ?? "?"} → ${llm.outputTokens ?? "?"} tokens`, dollars(llm.cost)]),
    ...(node?.llm == null
      ? []
      : [`${node.llm.inputTokens} → ${node.llm.outputTokens} tokens in ${plural(node.llm.calls, "call")}`, dollars(node.llm.cost)]),
    ...(node?.saved == null ? [] : [`saved ${describeSaved(node.saved)}`]),
    ...(span.note === null ? [] : [plainLine(span.note)]),
  ];
  return `${shown} ${bar} ${facts.join(", ")}`;
}
