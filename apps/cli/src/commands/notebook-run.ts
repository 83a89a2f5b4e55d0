import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { languageOf, NotebookError, parseNotebook, writeNotebook, type Notebook } from "@syla/contracts/notebook";
import type { SandboxContextEvent } from "@syla/sdk";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { runNotebook } from "../notebooks/run-notebook.ts";
import { printJson } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { allowDomainOption, networkOption, type NetworkFlags, readNetwork } from "../runs/network-flags.ts";
import { parseResources, parseVariables } from "../runs/parse-flags.ts";
import { createProgramOutput } from "../sandboxes/program-output.ts";
import { findWorkspace } from "../workspaces/find-workspace.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, NetworkFlags {
  readonly output?: string;
  readonly workspace?: string;
  readonly env: readonly string[];
  readonly resource: readonly string[];
}

/** The exit code of what Ctrl+C has ended. */
const interruptedCode = 130;

export const notebookRunCommand: Command = defineServerCommand("run", "run all cells of a notebook, and write what comes of them into it")
  .argument("<file>", "the notebook: an .ipynb file with code in Python or JavaScript")
  .option("-o, --output <file>", "write the notebook with its outputs there, and leave the other one as it is")
  .option("-w, --workspace <workspace>", "with the files of this workspace; what the cells change there goes back")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("-r, --resource <list>", "limits: cpu=2,memory=4G,disk=2G,processes=50,files=256", collect, [])
  .addOption(networkOption())
  .addOption(allowDomainOption())
  .action(async (file: string, flags: Flags) => {
    const notebook = readNotebook(file);
    const output = flags.output ?? file;
    requireWritable(output);
    const network = readNetwork(flags);
    const { syla } = await connect({ env: process.env, profile: flags.profile, start: true });
    const sandbox = await syla.sandboxes.create({
      name: file.slice(-100),
      language: languageOf(notebook) === "javascript" ? "node" : "python",
      env: parseVariables([], flags.env, process.env),
      limits: parseResources(flags.resource),
      ...(flags.workspace !== undefined && { workspaceId: (await findWorkspace(syla, flags.workspace)).id }),
      ...(network !== undefined && { network }),
    });
    const leave = () => void sandbox.delete().finally(() => process.exit(interruptedCode));
    process.once("SIGINT", leave);
    try {
      const run = await runNotebook(sandbox, notebook, flags.json === true ? () => Promise.resolve() : printEvent());
      writeFileSync(output, writeNotebook(run.notebook));
      const { executed, failure } = run;
      if (failure !== null) process.exitCode = 1;
      if (flags.json === true) printJson({ output, executed, failure });
      else if (failure !== null) note(`cell ${failure.cell} failed: ${failure.name}: ${failure.value}`);
      else note(`${executed} ${executed === 1 ? "cell" : "cells"} ran; ${output} has what came of them`);
    } finally {
      process.off("SIGINT", leave);
      await sandbox.delete();
    }
  });

function note(text: string): void {
  process.stderr.write(`syla: ${plainText(text)}\n`);
}

/** What cells print, as they print it. */
function printEvent(): (event: SandboxContextEvent) => Promise<void> {
  const write = { stdout: createProgramOutput(process.stdout), stderr: createProgramOutput(process.stderr) };
  return async (event) => {
    if (event.type === "output") await write[event.stream](Buffer.from(event.text));
    else if (event.type === "error") await write.stderr(Buffer.from(`${event.traceback.trimEnd()}\n`));
    else if (event.type !== "done") {
      const text = event.data["text/plain"];
      await write.stdout(Buffer.from(`${typeof text === "string" ? text : `[${Object.keys(event.data).join(", ")}]`}\n`));
    }
  };
}

function readNotebook(file: string): Notebook {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new CliError(`${file} cannot be read.`, { code: "file_unreadable", exit: "no_input", hint: "Check the path.", cause });
  }
  const refuse = (message: string, hint: string, cause?: unknown): never => {
    throw new CliError(message, { code: "notebook_invalid", exit: "invalid_request", hint, cause });
  };
  try {
    const notebook = parseNotebook(text);
    return languageOf(notebook) === null
      ? refuse(`${file} is in a language that is not run here.`, "Python and JavaScript are.")
      : notebook;
  } catch (cause) {
    if (!(cause instanceof NotebookError)) throw cause;
    return refuse(
      `${file} is no notebook that can be run. ${cause.message}`,
      "Open it in an editor of notebooks, and save it again.",
      cause,
    );
  }
}

/** Before anything has run that could then be kept nowhere. */
function requireWritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (cause) {
    throw new CliError(`${file} cannot be written: ${(cause as Error).message}`, {
      code: "cannot_write",
      exit: "cannot_create",
      hint: "Name another: --output FILE.",
      cause,
    });
  }
}
