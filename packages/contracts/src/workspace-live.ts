import { z } from "zod";
import { route } from "./route.ts";

/** Larger files are not edited together, bytes. */
export const mostLiveBytes = 2 * 1024 * 1024;
/** So much is put into a document at once, characters. */
export const mostLiveInsert = 512 * 1024;
/** Where a live document keeps its text: the name of its one Yjs type, a `Y.Text`. */
export const liveTextName = "content";

/** What people are told apart by: each can be read on white, and white on it, and is seen on black. */
export const personColors = ["#2563EB", "#C2410C", "#7C3AED", "#0F766E", "#DB2777", "#4D7C0F", "#0E7490", "#A16207"] as const;

/** The colour of somebody: always the same one. */
export function colorOf(userId: string): string {
  let sum = 0;
  for (const character of userId) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return personColors[sum % personColors.length] ?? personColors[0];
}

/** A file as people edit it together: a Yjs document, which is joined by its id on the workspace's live connection. */
export const LiveDocument = z
  .object({
    id: z.string(),
    path: z.string(),
    mayEdit: z.boolean().describe("whether what you write is taken"),
  })
  .meta({ id: "LiveDocument" });
export type LiveDocument = z.infer<typeof LiveDocument>;

/** What somebody says of themselves in the workspace's room, as far as the server takes it. Who they are is said by the server. */
export const PresenceWish = z.object({
  path: z.string().max(4096).nullable().catch(null).describe("the file that they have before them"),
  runId: z.string().max(64).nullable().catch(null).describe("the run that they have started there, and show to the others"),
});
export type PresenceWish = z.infer<typeof PresenceWish>;

/** Somebody who has a workspace open; once for each place where they have. */
export const WorkspacePerson = z
  .object({
    key: z.string().describe("tells the places apart"),
    id: z.string(),
    name: z.string(),
    path: z.string().nullable().describe("the file that they have before them"),
    runId: z.string().nullable().describe("the run that they have started there, and show to the others"),
  })
  .meta({ id: "WorkspacePerson" });
export type WorkspacePerson = z.infer<typeof WorkspacePerson>;

/** What following a workspace says: everybody who is there, whenever that changes. */
export const WorkspacePresenceEvent = z
  .object({ type: z.literal("people"), people: z.array(WorkspacePerson) })
  .meta({ id: "WorkspacePresenceEvent" });
export type WorkspacePresenceEvent = z.infer<typeof WorkspacePresenceEvent>;

/** What the server says besides changes on a live connection: of a document, or, in the room, of the workspace. */
export const LiveNotice = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("refused"),
      code: z.string(),
      message: z.string().describe("why what was written last was not taken"),
    }),
    z.object({
      type: z.literal("settled"),
      problem: z
        .object({ code: z.string(), message: z.string() })
        .nullable()
        .describe("why the text is not in the files yet, though it is kept"),
    }),
    z.object({ type: z.literal("moved"), path: z.string() }),
    z.object({ type: z.literal("detached") }).describe("the file is gone; what is written is kept for a while"),
    z.object({ type: z.literal("files") }).describe("the workspace's files are others by now"),
  ])
  .meta({ id: "LiveNotice" });
export type LiveNotice = z.infer<typeof LiveNotice>;

/** What is asked of the server besides changes, on the connection of a document. */
export const LiveRequest = z.object({
  type: z.literal("put_back").describe("the file, which is gone, is to be there again with all that is written in its document"),
});
export type LiveRequest = z.infer<typeof LiveRequest>;

const common = { tag: "workspaces", auth: "user" } as const;
const base = "/api/v1/workspaces/:id";
const params = z.object({ id: z.string().max(64) });

/** How people edit the files of a workspace together. */
export const workspaceLiveRoutes = {
  openLiveDocument: route({
    ...common,
    method: "GET",
    path: `${base}/document`,
    summary: "The live document of a file",
    params,
    query: z.object({ path: z.string().min(1).max(4096) }),
    responses: { 200: LiveDocument },
    errors: ["not_found", "file_not_found", "live_not_text", "live_too_large", "workspace_archived", "workspace_deleted"],
  }),
  joinWorkspace: route({
    ...common,
    audit: "workspace.collaborate",
    method: "GET",
    path: `${base}/live`,
    summary:
      "The live connection of a workspace: the Hocuspocus protocol, with its documents by their ids, and the room of those who are there by its own id",
    params,
    responses: { 200: "websocket" },
    errors: ["not_found", "workspace_deleted", "cross_origin"],
  }),
  followWorkspace: route({
    ...common,
    method: "GET",
    path: `${base}/people`,
    summary: "Follow who has a workspace open, and which of its files (server-sent events)",
    params,
    responses: { 200: "event-stream" },
    errors: ["not_found", "workspace_deleted"],
  }),
};
