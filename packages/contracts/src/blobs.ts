import { z } from "zod";
import { route } from "./route.ts";

export const blobRoutes = {
  uploadBlob: route({
    method: "POST",
    path: "/api/v1/blobs",
    summary: "Upload content once; files of a run then refer to it by its SHA-256",
    tag: "blobs",
    auth: "user",
    audit: "blob.upload",
    body: "bytes",
    responses: { 201: z.object({ sha256: z.string(), size: z.int() }) },
    errors: ["payload_too_large", "storage_full"],
  }),
  findMissingBlobs: route({
    method: "POST",
    path: "/api/v1/blobs/missing",
    summary: "Which of several contents you have not uploaded yet",
    tag: "blobs",
    auth: "user",
    audit: "blob.find",
    body: z.strictObject({ sha256: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(10_000) }),
    responses: { 200: z.object({ missing: z.array(z.string()) }) },
    errors: [],
  }),
};
