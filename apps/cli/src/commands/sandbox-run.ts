import { readFileSync } from "node:fs";
import type { SandboxContextEvent } from "@syla/sdk";
import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { readStdin } from "../runs/read-stdin.ts";
import { createProgramOutput } from "../sandboxes/program-output.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly context?: string;
  readonly language?: "python" | "javascript";
}

export const sandboxRunCommand: Command = defineServerCommand("run", "run code in an interpreter of a sandbox that keeps its variables")
  .argument("<sandbox>", "its id")
  .argument("[file]", "the code: a file, or - for standard input", "-")
  .option("-c, --context <id>", "the interpreter; by default the first of the language, made when there is none")
  .addOption(new Option("-l, --language <name>", "the language of the interpreter").choices(["python", "javascript"]))
  .action(async (id: string, file: string, flags: Flags) => {
    const code = file === "-" ? (await readStdin()).toString() : readCode(file);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { contexts } = syla.sandboxes.open(id);
    const known = (await contexts.list()).find(({ language }) => flags.language === undefined || language === flags.language);
    const contextId = flags.context ?? known?.id ?? (await contexts.create(flags.language)).id;
    const write = { stdout: createProgramOutput(process.stdout), stderr: createProgramOutput(process.stderr) };
    const told: SandboxContextEvent[] = [];
    for await (const event of contexts.run(contextId, code)) {
      if (event.type === "done") process.exitCode = event.status === "ok" ? 0 : 1;
      if (flags.json === true) told.push(event);
      else if (event.type === "output") await write[event.stream](Buffer.from(event.text));
      else if (event.type === "error") await write.stderr(Buffer.from(`${event.traceback.trimEnd()}\n`));
      else if (event.type !== "done") await write.stdout(Buffer.from(`${describe(event.data)}\n`));
    }
    if (flags.json === true) printJson({ contextId, events: told });
  });

function describe(data: Readonly<Record<string, unknown>>): string {
  const text = data["text/plain"];
  return typeof text === "string" ? text : `[${Object.keys(data).join(", ")}]`;
}

function readCode(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CliError(`${file} cannot be read.`, { code: "file_unreadable", exit: "no_input", hint: "Check the path.", cause });
  }
}
