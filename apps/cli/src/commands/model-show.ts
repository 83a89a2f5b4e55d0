import type { ModelConfig, ModelUsage } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { findModel } from "../models/find-model.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const yesNo = (value: boolean | null) => (value === null ? "unknown" : value ? "yes" : "no");

export const modelShowCommand: Command = defineServerCommand("show", "show a model, and what was spent on it")
  .argument("<model>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const model = await findModel(syla, word);
    const usage = model.config === null ? null : await syla.models.usage(model.id);
    if (flags.json === true) return printJson({ ...model, usage });
    const { prices, capabilities, config } = model;
    printFields([
      ["id", model.id],
      ["name", plainLine(model.name)],
      ["provider", model.provider],
      ["model", plainLine(model.modelId)],
      ["owner", plainLine(model.owner.name)],
      ["visibility", model.visibility],
      ["you may", model.usable ? `${model.level}, and call it` : `${model.level}, and not call it`],
      ["address", config === null ? "-" : (config.baseUrl ?? "the provider's own")],
      ["takes and gives", capabilities.modalities.join(", ")],
      ["tools", yesNo(capabilities.tools)],
      ["JSON schemas", yesNo(capabilities.json)],
      ["context", capabilities.contextWindow === null ? "unknown" : String(capabilities.contextWindow)],
      ["answers calls of", config === null ? "-" : config.roles.join(", ")],
      ["keeps answers", config === null ? "-" : config.cacheSeconds === 0 ? "no" : `${config.cacheSeconds} s, for ${config.cacheFor}`],
      ...(config === null ? [] : configFields(config)),
      ["input per million", dollars(prices.input)],
      ["output per million", dollars(prices.output)],
    ]);
    if (usage !== null) printUsage(usage);
  });

function configFields({ parameters, headers, secretHeaders, store, storeDays, limits }: ModelConfig): [string, string][] {
  const defaults = Object.entries(parameters).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const named = [...Object.keys(headers), ...Object.keys(secretHeaders).map((name) => `${name} (secret)`)];
  const rates = [
    ...(limits.requestsPerMinute === null ? [] : [`${limits.requestsPerMinute} calls a minute`]),
    ...(limits.tokensPerMinute === null ? [] : [`${limits.tokensPerMinute} tokens a minute`]),
  ];
  return [
    ["defaults", plainLine(defaults.join(", ") || "-")],
    ["headers", named.join(", ") || "-"],
    ["limits", rates.join(", ") || "-"],
    ["keeps what is said", store === "off" ? "no" : `${store}${storeDays === null ? "" : `, ${storeDays} days`}`],
  ];
}

function printUsage({ total, people, caps }: ModelUsage): void {
  printLine();
  printLine(`${total.calls} calls in 30 days, ${total.inputTokens} tokens in, ${total.outputTokens} out, ${dollars(total.cost)}`);
  printTable(
    [
      { title: "who", value: ({ name }) => plainLine(name) },
      { title: "calls", value: ({ calls }) => String(calls), align: "right" },
      { title: "cost", value: ({ cost }) => dollars(cost), align: "right" },
    ],
    people,
  );
  printTable(
    [
      { title: "cap of", value: ({ name }) => plainLine(name) },
      { title: "spent", value: ({ spent }) => dollars(spent), align: "right" },
      { title: "of", value: ({ amount, period }) => `${dollars(amount)} a ${period}`, align: "right" },
    ],
    caps,
  );
}
