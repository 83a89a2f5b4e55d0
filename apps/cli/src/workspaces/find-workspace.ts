import type { Syla, Workspace } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import { readCurrentWorkspace } from "../settings/profiles.ts";

const idForm = /^wsp_[0-9a-z]{26}$/;

/** A workspace by its id or name; your own go before those of others. */
export async function findWorkspace(syla: Syla, word: string, view: "all" | "deleted" = "all"): Promise<Workspace> {
  if (idForm.test(word)) return await syla.workspaces.get(word);
  const known: string[] = [];
  for (const query of view === "deleted" ? [{ view }] : [{ view: "mine" as const }, { view }]) {
    const found: Workspace[] = [];
    for await (const workspace of syla.workspaces.all(query)) {
      known.push(workspace.name);
      if (workspace.name.toLowerCase() === word.toLowerCase()) found.push(workspace);
    }
    const [workspace, ...others] = found;
    if (others.length > 0)
      throw usageError(
        `Several workspaces are called "${word}": ${found.map(({ id, owner }) => `${id} of ${owner.name}`).join(", ")}.`,
        "Give the id.",
      );
    if (workspace !== undefined) return workspace;
  }
  throw usageError(
    `There is no workspace "${word}", or you may not see it.${didYouMean(word, known)}`,
    "`syla workspace list` lists yours.",
  );
}

/** The workspace that is named, or, with `.` or no word, the one in use at this server. */
export async function findWorkspaceOrCurrent(syla: Syla, server: string, word: string | undefined): Promise<Workspace> {
  if (word !== undefined && word !== ".") return await findWorkspace(syla, word);
  const current = readCurrentWorkspace(process.env, server);
  if (current === null) throw usageError("No workspace is in use here.", "Name one, or choose one: `syla workspace use NAME`.");
  return await syla.workspaces.get(current);
}
