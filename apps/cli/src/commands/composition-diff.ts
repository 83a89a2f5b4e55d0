import type { CompositionDiff } from "@syla/sdk";
import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const signs = { added: "+", removed: "-", moved: "↔", changed: "~" } as const;

function describeNode(change: CompositionDiff["nodes"][number]): string {
  const what = "fields" in change ? `  ${change.fields.join(", ")}` : "";
  return `${signs[change.change]} ${[...change.path, change.node].join("/")}${what}`;
}

function describeEdge({ path, change, from, to }: CompositionDiff["edges"][number]): string {
  return `${signs[change]} ${[...path, `${from.node}.${from.port} -> ${to.node}.${to.port}`].join("/")}`;
}

export const compositionDiffCommand: Command = defineServerCommand(
  "diff",
  "show which nodes and wires differ between two versions of a composition",
)
  .argument("<composition>", "its id, slug or name")
  .argument("[from]", "a version, or head for the draft; the newest version when left out")
  .argument("[to]", "a version, or head", "head")
  .option("--moved", "also nodes that only lie elsewhere")
  .action(async (word: string, from: string | undefined, to: string, flags: CommonFlags & { readonly moved?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findAsset(syla, "composition", word);
    const found = await syla.compositions.diff(id, { to, ...(from === undefined ? {} : { from }) });
    if (flags.json === true) return printJson(found);
    const nodes = found.nodes.filter(({ change }) => flags.moved === true || change !== "moved");
    for (const change of nodes) printLine(plainLine(describeNode(change)));
    for (const change of found.edges) printLine(plainLine(describeEdge(change)));
    if (nodes.length + found.edges.length === 0) printLine("Nothing differs.");
  });
