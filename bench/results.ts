import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

const file = join(import.meta.dirname, "results.md");

/** What was measured on, and when. */
export function describeMachine(): string {
  const date = new Date().toISOString().slice(0, 10);
  return `${cpus().length} CPUs, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}, ${date}`;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** Keeps what was measured; the sections of programs that run longer stay as they are. */
export function keepResults(text: string): void {
  write([text, ...readSections().long]);
}

/** Prints a section and, with `--write` on the command line, keeps it in place of the one with the same title. */
export function report(title: string, text: string): void {
  const section = `## Long: ${title}\n\n${text}`;
  console.log(section);
  if (!process.argv.includes("--write")) return;
  const { first, long } = readSections();
  const at = long.findIndex((other) => other.startsWith(`## Long: ${title}\n`));
  write([first, ...(at === -1 ? [...long, section] : long.with(at, section))]);
}

function readSections(): { first: string; long: string[] } {
  const [first = "", ...long] = readFileSync(file, "utf8").split(/^(?=## Long)/m);
  return { first, long };
}

function write(sections: readonly string[]): void {
  writeFileSync(file, `${sections.map((section) => section.trimEnd()).join("\n\n")}\n`);
}
