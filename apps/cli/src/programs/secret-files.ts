import type { Import, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import type { LocalEntry } from "./local-tree.ts";

/** Which files that look secret are wanted all the same. */
export interface SecretFlags {
  readonly withSecrets?: boolean;
  readonly include?: readonly string[];
}

/** Why a file looks secret, and where. */
export type SecretFinding = Import["secrets"][number];

const mostShown = 20;

/** The options that take files although they look secret. */
export function withSecretOptions(command: Command): Command {
  return command
    .option("--include <path>", "take this file although it looks secret; may be said again", collect)
    .option("--with-secrets", "take files that look secret as well");
}

function collect(path: string, before: readonly string[] = []): string[] {
  return [...before, path.replace(/^\.\//, "")];
}

/** What of these files looks secret, by the rule of imports; their contents are on the server already. None when all are wanted. */
export async function findSecrets(syla: Syla, entries: readonly LocalEntry[], flags: SecretFlags): Promise<readonly SecretFinding[]> {
  const asked = entries.filter(({ path }) => flags.include?.includes(path) !== true);
  if (flags.withSecrets === true || asked.length === 0) return [];
  const { secrets, leftOut } = await syla.analyses.create(asked.map(({ path, sha256 }) => ({ path, blob: sha256 })));
  if (leftOut.secrets === 0) return secrets.map(({ file, line, reason }) => ({ path: file, line, reason }));
  throw new CliError(`More looks secret than can be named, in ${secrets[0]?.file ?? "these files"} and others.`, {
    code: "too_many_secrets",
    exit: "invalid_request",
    hint: "Leave them out with a .sylaignore file, or take all with --with-secrets.",
  });
}

/** Tells of files that were left out. */
export function noteSecrets(secrets: readonly SecretFinding[]): void {
  for (const { path, line, reason } of secrets.slice(0, mostShown))
    note(`left out: ${plainLine(`${path}${line === null ? "" : `:${line}`}`)} (${plainLine(reason)})`);
  const files = new Set(secrets.map(({ path }) => path)).size;
  if (files > 0)
    note(`${files} ${files === 1 ? "file that looks" : "files that look"} secret: --include PATH takes one, --with-secrets all.`);
}
