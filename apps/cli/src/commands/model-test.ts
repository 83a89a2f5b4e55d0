import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { findModel } from "../models/find-model.ts";
import { printFields, printJson } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const yesNo = (value: boolean | null) => (value === null ? "unknown" : value ? "yes" : "no");

export const modelTestCommand: Command = defineServerCommand("test", "call a model with a few words: how fast it is, or what is wrong")
  .argument("<model>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const model = await findModel(syla, word);
    const test = await syla.models.test(model.id);
    if (flags.json === true) printJson(test);
    else if (test.ok)
      printFields([
        ["answer", plainLine(test.answer ?? "-")],
        ["first byte", `${Math.round(test.firstByteMs ?? 0)} ms`],
        ["whole answer", `${Math.round(test.latencyMs ?? 0)} ms`],
        ["streams", yesNo(test.capabilities.streaming)],
        ["tools", yesNo(test.capabilities.tools)],
        ["JSON schemas", yesNo(test.capabilities.json)],
        ["pictures", yesNo(test.capabilities.vision)],
        ["embeddings", yesNo(test.capabilities.embeddings)],
      ]);
    if (test.ok) return;
    if (flags.json === true) process.exitCode = 1;
    else
      throw new CliError(`${test.code}: ${plainLine(test.message ?? "")}`, {
        code: "model_test_failed",
        exit: "unavailable",
        hint: "`syla model show` shows how it is reached; `syla credential replace` gives it another key.",
      });
  });
