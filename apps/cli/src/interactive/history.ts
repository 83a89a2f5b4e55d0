import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { note } from "../output/progress.ts";
import { type Environment, sylaHome } from "../settings/home.ts";
import { makeFolder } from "../settings/private-file.ts";
import type { CellLanguage } from "./cell.ts";

/** So many lines are kept. */
export const historyLines = 2000;

/** What was typed before, of each language apart; only its owner can read it. */
export interface History {
  /** Newest first, as readline has it. */
  readonly lines: string[];
  /** Keeps these lines, newest first. A history that cannot be written is no reason to end. */
  save(lines: readonly string[]): void;
}

export function openHistory(env: Environment, language: CellLanguage): History {
  const file = join(sylaHome(env), "history", language);
  let told = false;
  return {
    lines: readLines(file),
    save: (lines) => {
      try {
        makeFolder(dirname(file), 0o700);
        writeFileSync(file, `${lines.slice(0, historyLines).toReversed().join("\n")}\n`, { mode: 0o600 });
        chmodSync(file, 0o600);
      } catch (error) {
        if (!told) note(`the history is not kept: ${(error as Error).message}`);
        told = true;
      }
    },
  };
}

function readLines(file: string): string[] {
  try {
    const lines = readFileSync(file, "utf8").split("\n");
    return lines
      .filter((line) => line !== "")
      .toReversed()
      .slice(0, historyLines);
  } catch {
    return [];
  }
}
