import { createInterface, type Interface } from "node:readline";
import type { SandboxContextEvent } from "@syla/sdk";
import { printJson } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { describeError, renderError } from "../output/report-error.ts";
import { style } from "../output/style.ts";
import { createProgramOutput } from "../sandboxes/program-output.ts";
import { isComplete } from "./cell.ts";
import { commandNames, isCommand, obey } from "./commands.ts";
import { type History, historyLines } from "./history.ts";
import { abandoned, type LineSource, readLines } from "./line-source.ts";
import type { CellEnd, Session } from "./session.ts";
import type { FormsWriter } from "./show-forms.ts";

interface ConverseOptions {
  readonly history: History;
  readonly forms: FormsWriter;
  readonly json: boolean;
}

/**
 * Reads pieces of code and runs each, until Ctrl+D. Ctrl+C ends what runs, or gives up what is typed. In a pipe it is the same without
 * prompts. @returns the exit code: 1 when, in a pipe, a piece has failed
 */
export async function converse(session: Session, { history, forms, json }: ConverseOptions): Promise<number> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && !json;
  let running = false;
  const lines = createInterface({
    input: process.stdin,
    ...(isTerminal && { output: process.stdout, history: history.lines, historySize: historyLines, removeHistoryDuplicates: true }),
    terminal: isTerminal,
    completer: (line: string, done: (error: null, result: [string[], string]) => void) =>
      void completeLine(session, line, running).then((result) => done(null, result)),
  });
  const source = readLines(lines);
  lines.on("history", (kept: string[]) => history.save(kept));
  const interrupt = () => {
    if (running) void session.interrupt().catch(() => undefined);
    else if (isTerminal) giveUpLine(lines);
    if (!running) source.abandon();
  };
  lines.on("SIGINT", interrupt);
  process.on("SIGINT", interrupt);
  const prompt = (text: string) => {
    if (!isTerminal) return;
    lines.setPrompt(style(process.stdout, "cyan", text));
    lines.prompt();
  };
  const cells: string[] = [];
  let exitCode = 0;
  try {
    for (;;) {
      const cell = await readCell(session, source, prompt);
      if (cell === null) {
        if (isTerminal) process.stdout.write("\n"); // the shell's prompt begins a line
        break;
      }
      if (cell.trim() === "") continue;
      running = true;
      const end = await runCell(session, cell, { cells, forms, json }).finally(() => (running = false));
      if (end === "end") break;
      if (end !== "ok" && !isTerminal) exitCode = 1;
    }
  } finally {
    process.off("SIGINT", interrupt);
    lines.close();
  }
  return exitCode;
}

/** Empties the line that is being edited; it stays to be seen, marked. */
function giveUpLine(lines: Interface): void {
  const typed = lines.line;
  lines.write(null, { ctrl: true, name: "e" });
  lines.write(null, { ctrl: true, name: "u" });
  process.stdout.write(`${typed}^C\n`);
}

/** Lines until they are a piece that can be run; null at the end. */
async function readCell(session: Session, source: LineSource, prompt: (text: string) => void): Promise<string | null> {
  const typed: string[] = [];
  for (;;) {
    prompt(typed.length === 0 ? "> " : "… ");
    const line = await source.next();
    if (line === null) return typed.length === 0 ? null : typed.join("\n");
    if (line === abandoned) return "";
    typed.push(line);
    if (typed.length === 1 && isCommand(line)) return line;
    if (isComplete(session.language, typed)) return typed.join("\n");
  }
}

interface CellContext {
  readonly cells: string[];
  readonly forms: FormsWriter;
  readonly json: boolean;
}

/** Whatever goes wrong is told, and the conversation goes on. */
async function runCell(session: Session, text: string, context: CellContext): Promise<CellEnd | "end"> {
  try {
    if (!isCommand(text)) return await runCode(session, text, context);
    const outcome = await obey(text, session, context.cells);
    if (outcome.say !== undefined) process.stdout.write(outcome.say);
    if (outcome.run !== undefined) return await runCode(session, outcome.run, context);
    return outcome.end === true ? "end" : "ok";
  } catch (error) {
    process.stderr.write(renderError(describeError(error).report));
    return "error";
  }
}

async function runCode(session: Session, code: string, { cells, forms, json }: CellContext): Promise<CellEnd> {
  const write = { stdout: createProgramOutput(process.stdout), stderr: createProgramOutput(process.stderr) };
  const events: SandboxContextEvent[] = [];
  let isLineOpen = false;
  const tell = async (event: SandboxContextEvent) => {
    if (json) return void events.push(event);
    if (event.type === "output") {
      await write[event.stream](Buffer.from(event.text));
      isLineOpen = !event.text.endsWith("\n");
    } else if (event.type === "error") await write.stderr(Buffer.from(`${event.traceback.trimEnd()}\n`));
    else if (event.type !== "done") process.stdout.write(forms.show(event.data));
  };
  const status = await session.run(code, tell);
  if (json) printJson({ code, status, events });
  else if (isLineOpen && process.stdout.isTTY) process.stdout.write("\n");
  if (status === "ok") cells.push(code);
  if (status === "interrupted" && !json) note("interrupted; the variables stay");
  if (status === "lost") {
    await session.reset();
    note("the interpreter has ended, and has begun anew without variables");
  }
  return status;
}

/** What the end of a line may become; nothing while something runs, which is asked first. */
async function completeLine(session: Session, line: string, running: boolean): Promise<[string[], string]> {
  if (line.startsWith("/") && !line.includes(" ")) return [commandNames.filter((name) => name.startsWith(line)), line];
  const [start = ""] = /[A-Za-z_$][\w$.]*$/.exec(line) ?? [];
  if (running || start === "") return [[], start];
  return [[...(await session.complete(start))], start];
}
