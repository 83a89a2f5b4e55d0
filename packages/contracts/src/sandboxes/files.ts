import { z } from "zod";
import { route } from "../route.ts";
import { base, common, fileErrors, noNul, params } from "./fields.ts";

/** A path, or its bytes in base64 where they are not UTF-8. Relative ones begin at /workspace. */
const pathFields = { path: noNul("a path").pipe(z.string().min(1).max(4096)).optional(), pathBase64: z.base64().max(8192).optional() };
const pathQuery = z.object(pathFields);
const PathBody = z.strictObject(pathFields);

export const SandboxFile = z
  .object({
    path: z.string().describe("absolute; U+FFFD stands for bytes that are not UTF-8"),
    pathBase64: z.string().nullable().describe("the exact path where `path` is not"),
    name: z.string(),
    kind: z.enum(["file", "folder", "link", "other"]),
    size: z.int(),
    mode: z.int(),
    modifiedAt: z.iso.datetime(),
    target: z.string().nullable().describe("where a link leads"),
  })
  .meta({ id: "SandboxFile" });
export type SandboxFile = z.infer<typeof SandboxFile>;

export const SandboxFileChange = z
  .object({
    changes: z.array(
      z.object({
        type: z.enum(["created", "modified", "deleted", "attributes"]),
        path: z.string(),
        pathBase64: z.string().nullable(),
        folder: z.boolean(),
      }),
    ),
    overflow: z.boolean().describe("more has changed than is told: look again"),
  })
  .meta({ id: "SandboxFileChange" });
export type SandboxFileChange = z.infer<typeof SandboxFileChange>;

/** Files of a sandbox. */
export const sandboxFileRoutes = {
  listSandboxFiles: route({
    ...common,
    method: "GET",
    path: `${base}/:id/files`,
    summary: "List a folder",
    params,
    query: pathQuery.extend({
      depth: z.coerce.number().int().min(1).max(32).default(1),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
    }),
    responses: { 200: z.object({ items: z.array(SandboxFile), truncated: z.boolean() }) },
    errors: [...fileErrors],
  }),
  watchSandboxFiles: route({
    ...common,
    method: "GET",
    path: `${base}/:id/files/watch`,
    summary: "Follow what changes in a folder (server-sent events)",
    params,
    query: pathQuery.extend({ recursive: z.stringbool().default(true) }),
    responses: { 200: "event-stream" },
    errors: [...fileErrors],
  }),
  statSandboxFile: route({
    ...common,
    method: "GET",
    path: `${base}/:id/file`,
    summary: "Look at a file or folder",
    params,
    query: pathQuery,
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  readSandboxFile: route({
    ...common,
    method: "GET",
    path: `${base}/:id/file/content`,
    summary: "Read a file, or the range of bytes that `Range` asks for",
    params,
    query: pathQuery,
    headers: z.object({
      range: z
        .string()
        .regex(/^bytes=(\d{1,15}-\d{0,15}|-\d{1,15})$/)
        .optional(),
    }),
    responses: { 200: "bytes", 206: "bytes" },
    errors: [...fileErrors],
  }),
  writeSandboxFile: route({
    ...common,
    audit: "sandbox.file_write",
    method: "POST",
    path: `${base}/:id/file/content`,
    summary: "Write a file: all of it or nothing",
    params,
    query: pathQuery.extend({
      mode: z
        .string()
        .regex(/^[0-7]{3,4}$/)
        .optional()
        .describe("octal"),
      parents: z.stringbool().default(true).describe("make the folders above it"),
    }),
    body: "bytes",
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  updateSandboxFile: route({
    ...common,
    audit: "sandbox.file_update",
    method: "PATCH",
    path: `${base}/:id/file`,
    summary: "Change the mode of a file or folder",
    params,
    query: pathQuery,
    body: z.strictObject({ mode: z.int().min(0).max(0o777) }),
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  moveSandboxFile: route({
    ...common,
    audit: "sandbox.file_move",
    method: "POST",
    path: `${base}/:id/file/move`,
    summary: "Move or rename a file or folder",
    params,
    query: pathQuery,
    body: PathBody.extend({ overwrite: z.boolean().default(false) }),
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  deleteSandboxFile: route({
    ...common,
    audit: "sandbox.file_delete",
    method: "DELETE",
    path: `${base}/:id/file`,
    summary: "Remove a file or folder",
    params,
    query: pathQuery.extend({ recursive: z.stringbool().default(false) }),
    responses: { 204: "none" },
    errors: [...fileErrors],
  }),
  createSandboxFolder: route({
    ...common,
    audit: "sandbox.folder_create",
    method: "POST",
    path: `${base}/:id/folders`,
    summary: "Make a folder",
    params,
    body: PathBody.extend({ parents: z.boolean().default(true) }),
    responses: { 201: SandboxFile },
    errors: [...fileErrors],
  }),
};
