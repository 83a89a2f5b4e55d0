import type { WorkspacePerson } from "@syla/sdk";
import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import { sayChanges } from "../workspaces/presence.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const collaborateCommand: Command = defineServerCommand(
  "collaborate",
  "print the link to a workspace, and who joins it, leaves it and edits what, until Ctrl+C",
)
  .argument("[workspace]", "its id or name; the one in use when left out or `.`")
  .action(async (word: string | undefined, flags: CommonFlags) => {
    const { syla, target } = await connect({ env: process.env, profile: flags.profile });
    const workspace = await findWorkspaceOrCurrent(syla, target.url, word);
    const leaving = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => leaving.abort());
    const link = `${target.url}/workspaces/${workspace.id}`;
    if (flags.json !== true) printLine(link);
    let before: readonly WorkspacePerson[] = [];
    try {
      for await (const { people } of syla.workspaces.people(workspace.id, { signal: leaving.signal })) {
        for (const change of sayChanges(before, people)) {
          if (flags.json === true) printJson({ workspaceId: workspace.id, link, ...change });
          else printLine([new Date().toISOString(), change.type, plainLine(change.name), plainLine(change.path ?? "")].join("\t"));
        }
        before = people;
      }
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
    }
    if (!leaving.signal.aborted) note("your access to the workspace has ended, or the server has stopped");
  });
