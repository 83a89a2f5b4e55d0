import type { Worker } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const workersDrainCommand: Command = defineServerCommand("drain", "have a worker take no more runs (administrators)")
  .argument("<worker>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    print(await syla.workers.drain(id), flags);
  });

export const workersResumeCommand: Command = defineServerCommand("resume", "have a drained worker take runs again (administrators)")
  .argument("<worker>", "its id")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    print(await syla.workers.resume(id), flags);
  });

function print(worker: Worker, flags: CommonFlags): void {
  if (flags.json === true) return printJson(worker);
  const going = worker.runs === 0 ? "it has none" : `${worker.runs} of its own go on`;
  printLine(`${plainLine(worker.id)} ${worker.draining ? `takes no more runs; ${going}` : "takes runs"}`);
}
