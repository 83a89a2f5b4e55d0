import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { agentSource } from "../agent-code.ts";
import type { AgentFile } from "./manifest.ts";

/** The agent's files as a config map holds them: its keys have no folders. */
export function readAgentFiles(): { readonly sum: string; readonly files: readonly (AgentFile & { readonly content: string })[] } {
  const files = readdirSync(agentSource, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => relative(agentSource, join(entry.parentPath, entry.name)))
    .toSorted()
    .map((path) => ({ key: path.replaceAll("/", "__"), path, content: readFileSync(join(agentSource, path), "utf8") }));
  const sum = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  return { sum, files };
}
