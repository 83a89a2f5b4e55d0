import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { useWorkspace } from "../settings/profiles.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const workspaceJoinCommand: Command = defineServerCommand(
  "join",
  "get what a link gives: the workspace is in your list then, and in use",
)
  .argument("<link>", "a link as `share --link` prints it, or the part of it after #")
  .action(async (text: string, flags: CommonFlags) => {
    const { syla, target } = await connect({ env: process.env, profile: flags.profile });
    const [, token = text] = /#(\S+)$/.exec(text.trim()) ?? [];
    const { resourceType, resourceId, level } = await syla.sharing.redeemLink(token);
    if (resourceType !== "workspace")
      throw usageError(`This is a link to a ${resourceType}, which you may ${level} now.`, `It is ${resourceId}.`);
    const workspace = await syla.workspaces.get(resourceId);
    useWorkspace(process.env, target.url, workspace.id);
    if (flags.json === true) printJson({ workspace, level });
    else printLine(`${workspace.id}\t${plainLine(workspace.name)}\t${level}`);
  });
