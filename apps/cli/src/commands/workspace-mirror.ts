import type { WorkspaceMirror, WorkspaceMirrorState } from "@syla/sdk";
import { type Command, Option } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly ref?: string;
  readonly path?: string;
  readonly credential?: string;
  readonly every: string;
  readonly fetch?: boolean;
  readonly take?: "mine" | "theirs";
  readonly end?: boolean;
}

const hints: Readonly<Record<WorkspaceMirrorState, string>> = {
  following: "",
  diverged: "Change one of the two, or say whose files stay: --fetch --take mine or theirs.",
  failing: "The workspace is as it was. It is tried again.",
  stopped: "The workspace is as it was. Set the mirror anew, or fetch it once that is mended.",
};

/** Lets a workspace follow a repository of elsewhere, shows how that goes, and ends it. */
export function workspaceMirror(): Command {
  return defineServerCommand("mirror", "let a workspace follow a git repository: what changes there comes in by itself")
    .argument("[workspace]", "its id or name; the one in use when left out or `.`")
    .argument("[url]", "the repository; when left out, it is shown which one that is and how it goes")
    .option("--ref <name>", "a branch, a tag or a commit; the default branch when left out")
    .option("--path <folder>", "a folder in it, which is taken alone")
    .option("--credential <id>", "a credential that lets its server be read")
    .option("--every <minutes>", "how often it is looked at, 5 to 10080", "60")
    .option("--fetch", "fetch it now")
    .addOption(new Option("--take <side>", "with --fetch: whose files stay where both have changed the same").choices(["mine", "theirs"]))
    .option("--end", "follow nothing any more; the files stay")
    .action(async (word: string | undefined, url: string | undefined, flags: Flags) => {
      if ([url !== undefined, flags.fetch === true, flags.end === true].filter(Boolean).length > 1)
        throw usageError("An address, --fetch and --end are three things.", "Give one of them.");
      if (flags.take !== undefined && flags.fetch !== true) throw usageError("--take goes with --fetch.", "Add --fetch.");
      const everyMinutes = Number(flags.every);
      if (!Number.isInteger(everyMinutes)) throw usageError("--every is a number of minutes.", "For example: --every 60.");
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      const { mirror: mirrors } = syla.workspaces;
      if (flags.end === true) return await mirrors.delete(id);
      if (url === undefined && flags.fetch !== true) return print(await mirrors.get(id), flags);
      const { ref, path, credential: credentialId } = flags;
      const mirror =
        url === undefined ? await mirrors.fetch(id, flags.take) : await mirrors.set(id, { url, ref, path, credentialId, everyMinutes });
      print(mirror, flags);
      if (mirror.problem !== null)
        throw new CliError(plainLine(mirror.problem.message), {
          code: mirror.problem.code,
          exit: mirror.state === "failing" ? "unavailable" : "invalid_request",
          hint: hints[mirror.state],
        });
    });
}

function print(mirror: WorkspaceMirror | null, { json }: Flags): void {
  if (json === true) return printJson(mirror);
  if (mirror === null) return printLine("The workspace follows no repository.");
  const { url, ref, path, state, createdBy, everyMinutes, commit, changedAt, checkedAt, nextAt, problem } = mirror;
  printFields([
    ["repository", plainLine(url)],
    ["ref", plainLine(ref ?? "its default branch")],
    ...(path === null ? [] : [["folder", plainLine(path)] as const]),
    ["every", `${everyMinutes} min`],
    ["as", plainLine(createdBy?.name ?? "nobody")],
    ["state", state],
    ["commit", commit ?? "none yet"],
    ["came in", changedAt ?? "never"],
    ["looked at", checkedAt ?? "never"],
    ["next", nextAt ?? "when you ask for it"],
    ...(problem === null ? [] : [["problem", `${problem.code}: ${plainLine(problem.message)}`] as const]),
    ...(problem?.paths ?? []).map((changed) => ["changed twice", plainLine(changed)] as const),
  ]);
}
