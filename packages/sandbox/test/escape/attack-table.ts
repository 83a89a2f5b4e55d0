import { afterAll, beforeEach } from "vitest";

/** Notes each test of a file as an attack, and prints the table when the file has ended. */
export function printAttacks(): void {
  const lines: string[] = [];
  beforeEach(({ task, onTestFinished }) => {
    const started = performance.now();
    onTestFinished(() => {
      const result = task.result?.state === "pass" ? "held" : "BROKEN";
      lines.push(`| ${lines.length + 1} | ${task.name} | ${result} | ${Math.round(performance.now() - started)} |\n`);
    });
  });
  afterAll(() => void process.stdout.write(`\n| | attack or claim | wall | ms |\n|---:|---|---|---:|\n${lines.join("")}`));
}
