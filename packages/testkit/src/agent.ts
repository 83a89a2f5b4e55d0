import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { copyAgent, type AgentCode } from "@syla/sandbox/agent-code";
import { inject } from "vitest";

const python = "/usr/bin/python3";

/** The agent of sandboxes, compiled: the first test of a test run that asks for it makes the copy that all share. */
export async function borrowAgent(): Promise<AgentCode> {
  const folder = join(inject("runFolder"), "agent");
  if (!existsSync(folder)) await makeAgent(folder);
  return { folder, compiled: Promise.resolve() };
}

async function makeAgent(target: string): Promise<void> {
  const unfinished = mkdtempSync(`${target}-`);
  try {
    const { folder, compiled } = copyAgent(join(unfinished, "agent"), python);
    await compiled;
    renameSync(folder, target);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error; // another file was as quick
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
