import type { Actor } from "../access/actor.ts";
import { inputFiles, requireAllowed, within } from "../runs/service.ts";
import type { WorkspaceParts, WorkspaceWish } from "../sandboxes/program.ts";
import type { FilesContext } from "./files.ts";
import { placeForRun } from "./returns.ts";

/** A workspace as a long-lived sandbox has it: a copy of its files, with the reach and the size that runs in it have. @throws AppError */
export async function partsForSandbox(
  context: FilesContext,
  actor: Actor,
  { workspaceId, network, limits }: WorkspaceWish,
): Promise<WorkspaceParts> {
  const place = await placeForRun(context, actor, { workspaceId, writeBack: false });
  requireAllowed(place, network);
  return {
    files: inputFiles(context.blobs, place.entries),
    network: network === "none" ? place.network : network,
    limits: within(place.profile, limits),
  };
}
