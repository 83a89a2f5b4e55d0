import { readFileSync, writeFileSync } from "node:fs";
import { CliError, usageError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { Session } from "./session.ts";

/** What a command leads to: text to show, code to run, or the end. */
export type CommandOutcome = { readonly say?: string; readonly run?: string; readonly end?: true };

interface InteractiveCommand {
  readonly usage: string;
  readonly summary: string;
  readonly act: (session: Session, word: string, cells: readonly string[]) => CommandOutcome | Promise<CommandOutcome>;
}

const table: Readonly<Record<string, InteractiveCommand>> = {
  help: {
    usage: "/help",
    summary: "this list",
    act: () => ({ say: helpText() }),
  },
  reset: {
    usage: "/reset",
    summary: "begin anew, without variables",
    act: async (session) => {
      await session.reset();
      return { say: "The interpreter has begun anew.\n" };
    },
  },
  load: {
    usage: "/load FILE",
    summary: "run a file of this machine, with the variables that there are",
    act: (_session, word) => ({ run: readCode(word) }),
  },
  save: {
    usage: "/save FILE",
    summary: "write what was run so far into a new file",
    act: (_session, word, cells) => ({ say: saveCells(word, cells) }),
  },
  sandbox: {
    usage: "/sandbox",
    summary: "the id of the sandbox, for `syla sandbox put`, `get`, `shell`, …",
    act: ({ sandboxId }) => ({ say: `${sandboxId}\n` }),
  },
  exit: {
    usage: "/exit",
    summary: "end, as Ctrl+D",
    act: () => ({ end: true }),
  },
};

/** The commands, with their stroke. */
export const commandNames = Object.keys(table).map((name) => `/${name}`);

/** Whether a line is a command. What merely begins like one is code: `/a/.test(text)`. */
export function isCommand(line: string): boolean {
  return /^\/[a-z]+(\s+\S.*)?\s*$/.test(line);
}

/** Does what a line that begins with a stroke says. @throws CliError */
export async function obey(line: string, session: Session, cells: readonly string[]): Promise<CommandOutcome> {
  const [, name = "", word = ""] = /^\/([a-z]+)\s*(.*?)\s*$/.exec(line) ?? [];
  const command = Object.hasOwn(table, name) ? table[name] : undefined;
  if (command === undefined)
    throw usageError(`There is no command /${name}.${didYouMean(`/${name}`, commandNames)}`, "/help lists the commands.");
  if (command.usage.includes(" ") && word === "") throw usageError(`/${name} needs a file.`, `Write ${command.usage}.`);
  return await command.act(session, word, cells);
}

function helpText(): string {
  const widest = Math.max(...Object.values(table).map(({ usage }) => usage.length));
  const lines = Object.values(table).map(({ usage, summary }) => `  ${usage.padEnd(widest)}  ${summary}\n`);
  return `${lines.join("")}  ${"Ctrl+C".padEnd(widest)}  end what runs, or give up what is typed; the variables stay\n  ${"Tab".padEnd(widest)}  complete a name\n`;
}

function readCode(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CliError(`${file} cannot be read.`, { code: "file_unreadable", exit: "no_input", hint: "Check the path.", cause });
  }
}

function saveCells(file: string, cells: readonly string[]): string {
  try {
    writeFileSync(file, cells.map((cell) => `${cell.trimEnd()}\n`).join("\n"), { flag: "wx" });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new CliError(isThere ? `The file ${file} is there already.` : `${file} cannot be written: ${(cause as Error).message}`, {
      code: isThere ? "file_exists" : "cannot_write",
      exit: "cannot_create",
      hint: "Name another.",
      cause,
    });
  }
  return `${cells.length} ${cells.length === 1 ? "piece" : "pieces"} of code saved in ${file}\n`;
}
