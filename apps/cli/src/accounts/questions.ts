import { createInterface, type Interface } from "node:readline";
import { CliError } from "../cli-error.ts";

/** Answers of a person, asked one after the other. */
export interface Questions {
  /** Typed without being shown. */
  secret(message: string): Promise<string>;
  text(message: string): Promise<string>;
  /** Nothing more is asked. */
  [Symbol.dispose](): void;
}

/** Asks on the terminal, and leaves stdout to the result; from a pipe, each answer is a line of standard input. */
export function openQuestions(): Questions {
  return process.stdin.isTTY ? askOnTerminal() : readFromPipe();
}

function askOnTerminal(): Questions {
  const output = process.stderr;
  const given = (answer: string | symbol | undefined): string => {
    if (typeof answer === "symbol") process.exit(130);
    return answer ?? "";
  };
  return {
    secret: async (message) => given(await (await import("@clack/prompts")).password({ message, output })),
    text: async (message) => given(await (await import("@clack/prompts")).text({ message, output })),
    [Symbol.dispose]: () => undefined,
  };
}

function readFromPipe(): Questions {
  let opened: { readonly lines: Interface; readonly each: AsyncIterator<string> } | undefined;
  const next = async (message: string): Promise<string> => {
    if (opened === undefined) {
      const lines = createInterface({ input: process.stdin });
      opened = { lines, each: lines[Symbol.asyncIterator]() };
    }
    const line = await opened.each.next();
    if (line.done !== true) return line.value;
    const hint = "Answer on a terminal, or pipe the answers in, one a line.";
    throw new CliError(`Nothing answers the question “${message}”.`, { code: "answer_missing", exit: "usage", hint });
  };
  return {
    secret: next,
    text: next,
    [Symbol.dispose]: () => {
      opened?.lines.close();
      process.stdin.destroy();
    },
  };
}
