import type { Model } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const modelListCommand: Command = defineServerCommand("list", "list the models that you may see, newest first")
  .option("--usable", "only those that you may call")
  .option("--system", "only those of the system")
  .action(async (flags: CommonFlags & { readonly usable?: boolean; readonly system?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const items: Model[] = [];
    for await (const model of syla.models.list(flags.system === true ? { owner: "system" } : {}))
      if (flags.usable !== true || model.usable) items.push(model);
    if (flags.json === true) return printJson({ items });
    printTable<Model>(
      [
        { title: "id", value: ({ id }) => id },
        { title: "slug", value: ({ slug }) => slug },
        { title: "provider", value: ({ provider }) => provider },
        { title: "model", value: ({ modelId }) => plainLine(modelId) },
        { title: "owner", value: ({ owner }) => plainLine(owner.name) },
        { title: "you may", value: ({ level, usable }) => (usable ? level : "view") },
        { title: "input/M", value: ({ prices }) => dollars(prices.input), align: "right" },
        { title: "output/M", value: ({ prices }) => dollars(prices.output), align: "right" },
      ],
      items,
    );
  });
