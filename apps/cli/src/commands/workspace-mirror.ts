import type { WorkspaceMirror } from "@syla/sdk";
import { type Command, Option } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly ref?: string;
  readonly path?: string;
  readonly credential?: string;
  readonly every?: string;
  readonly fetch?: boolean;
  readonly take?: "mine" | "theirs";
  readonly end?: boolean;
}

/** Lets a workspace take after a repository of elsewhere, shows how that goes, and ends it. */
export function workspaceMirror(): Command {
  return defineServerCommand("mirror", "let a workspace take after a git repository: what changes there comes in by itself")
    .argument("[workspace]", "its id or name; the one in use when left out or `.`")
    .argument("[url]", "the repository; when left out, it is shown which one that is and how it went")
    .option("--ref <name>", "a branch, a tag or a commit; the default branch when left out")
    .option("--path <folder>", "a folder in it, which is taken alone")
    .option("--credential <id>", "a credential that lets its server be read")
    .option("--every <minutes>", "how often it is looked at, 5 to 10080", "60")
    .option("--fetch", "fetch it now")
    .addOption(new Option("--take <side>", "of what was changed there and here, with --fetch: whose stays").choices(["mine", "theirs"]))
    .option("--end", "take after nothing any more; the files stay")
    .action(async (word: string | undefined, url: string | undefined, flags: Flags) => {
      if ([url !== undefined, flags.fetch === true, flags.end === true].filter(Boolean).length > 1)
        throw usageError("An address, --fetch and --end are three things.", "Give one of them.");
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      if (flags.end === true) return await syla.workspaces.mirror.delete(id);
      const everyMinutes = Number(flags.every);
      if (!Number.isInteger(everyMinutes)) throw usageError("--every is a number of minutes.", "For example: --every 60.");
      const { ref, path, credential: credentialId } = flags;
      const mirror =
        url === undefined
          ? await (flags.fetch === true ? syla.workspaces.mirror.fetch(id, flags.take) : syla.workspaces.mirror.get(id))
          : await syla.workspaces.mirror.set(id, { url, ref, path, credentialId, everyMinutes });
      if (flags.json === true) printJson(mirror);
      else print(mirror);
      if (mirror.problem !== null && (url !== undefined || flags.fetch === true))
        throw new CliError(plainLine(mirror.problem.message), {
          code: mirror.problem.code,
          exit: "invalid_request",
          hint: "The workspace is as it was. With --fetch --take mine or theirs you say whose files stay.",
        });
    });
}

function print({ url, ref, path, commit, changedAt, checkedAt, nextAt, problem }: WorkspaceMirror): void {
  printFields([
    ["repository", plainLine(url)],
    ["ref", plainLine(ref ?? "its default branch")],
    ...(path === null ? [] : [["folder", plainLine(path)] as const]),
    ["commit", commit ?? "none yet"],
    ["came in", changedAt ?? "never"],
    ["looked at", checkedAt ?? "never"],
    ["next", nextAt ?? "not by itself"],
    ...(problem === null ? [] : [["problem", `${problem.code}: ${plainLine(problem.message)}`] as const]),
  ]);
}
