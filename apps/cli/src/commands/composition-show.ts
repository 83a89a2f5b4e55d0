import type { CompositionConfig, CompositionPort } from "@syla/sdk";
import type { Command } from "commander";
import { findAsset } from "../catalog/find-asset.ts";
import { describeProblem } from "../compositions/print-problems.ts";
import { connect } from "../connection.ts";
import { note } from "../output/progress.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

function describePort({ name, type, required }: CompositionPort): string {
  return `${name}${required ? "" : "?"}: ${type}`;
}

export const compositionShowCommand: Command = defineServerCommand(
  "show",
  "show a composition: what goes in and out, what it uses, its problems",
)
  .argument("<composition>", "its id, slug or name")
  .option("--at <version>", "the problems of a published version")
  .option("--code", "print its Python instead")
  .action(async (word: string, flags: CommonFlags & { readonly at?: string; readonly code?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const composition = await findAsset(syla, "composition", word);
    if (flags.code === true) {
      const compiled = await syla.compositions.code(composition.id, flags.at);
      if (flags.json === true) printJson(compiled);
      else process.stdout.write(compiled.code);
      return;
    }
    const problems = await syla.compositions.problems(composition.id, flags.at);
    if (flags.json === true) return printJson({ ...composition, problems });
    const { inputs, outputs, references, nodes } = composition.config as CompositionConfig;
    printFields(
      (
        [
          ["id", composition.id],
          ["name", composition.name],
          ["slug", composition.slug],
          ["description", composition.description],
          ["tags", composition.tags.join(", ")],
          ["owner", composition.owner.name],
          ["access", `${composition.visibility}; you have ${composition.yourLevel}`],
          ["version", composition.version ?? "none published"],
          ["revision", String(composition.revision)],
          ["nodes", String(nodes)],
          ["inputs", inputs.map(describePort).join(", ")],
          ["outputs", outputs.map(describePort).join(", ")],
          ["uses", references.map(({ id, version }) => (version === null ? id : `${id}@${version}`)).join(", ")],
          ["changed", composition.updatedAt],
          ["deleted", composition.deletedAt ?? ""],
        ] as const
      ).flatMap(([name, value]) => (value === "" ? [] : [[name, plainLine(value)] as const])),
    );
    if (problems.length === 0) return;
    printLine();
    for (const problem of problems) printLine(describeProblem(problem));
    if (problems.some(({ severity }) => severity === "error")) note("with an error it cannot be published or run.");
  });
