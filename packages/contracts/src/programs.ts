import { z } from "zod";
import { ifMatch, sha256 } from "./asset-fields.ts";
import { Asset, TreeFileInput, TreeRef } from "./assets.ts";
import { route } from "./route.ts";

/** One file of a tree. */
export const TreeFile = z.object({ path: z.string(), size: z.int(), sha256, executable: z.boolean() }).meta({ id: "TreeFile" });
export type TreeFile = z.infer<typeof TreeFile>;

const path = z.string().min(1).max(4096);

/** One change of a tree. All of a batch are made, or none. */
export const TreeChange = z
  .union([
    z.strictObject({ op: z.literal("write"), file: TreeFileInput }),
    z.strictObject({ op: z.literal("move"), from: path, to: path, overwrite: z.boolean().default(false) }).describe("a file or a folder"),
    z.strictObject({ op: z.literal("delete"), path }).describe("a file, or a folder with all that is in it"),
  ])
  .meta({ id: "TreeChange" });
export type TreeChange = z.output<typeof TreeChange>;

const common = { tag: "programs", auth: "user" } as const;
const byId = z.object({ id: z.string().max(64) });
const atVersion = { version: z.string().max(64).optional().describe("a published version; what is there now when left out") };

/** The files of programs (and of whatever else has a tree). */
export const programRoutes = {
  listProgramFiles: route({
    ...common,
    link: "asset",
    method: "GET",
    path: "/api/v1/programs/:id/files",
    summary: "List the files of a program",
    params: byId,
    query: z.object(atVersion),
    responses: { 200: z.object({ tree: TreeRef, revision: z.int(), items: z.array(TreeFile) }) },
    errors: ["not_found"],
  }),
  readProgramFile: route({
    ...common,
    link: "asset",
    method: "GET",
    path: "/api/v1/programs/:id/file",
    summary: "Read a file of a program, or a part of it with `Range`",
    params: byId,
    query: z.object({ ...atVersion, path }),
    headers: z.object({ range: z.string().max(100).optional() }),
    responses: { 200: "bytes", 206: "bytes" },
    errors: ["not_found", "file_not_found"],
  }),
  changeProgramFiles: route({
    ...common,
    audit: "asset.change_files",
    method: "POST",
    path: "/api/v1/programs/:id/files",
    summary: "Change files of a program, all at once or not at all",
    params: byId,
    headers: ifMatch,
    body: z.strictObject({ changes: z.array(TreeChange).min(1).max(10_000) }),
    responses: { 200: Asset },
    errors: [
      "not_found",
      "forbidden",
      "file_not_found",
      "path_exists",
      "invalid_path",
      "blob_unknown",
      "payload_too_large",
      "asset_deleted",
      "revision_conflict",
      "revision_required",
      "quota_exceeded",
    ],
  }),
};
