import { nodePath, inlineValueBytes } from "@syla/contracts/node-runs";
import { z } from "zod";

/** What a sandbox may send: whatever runs in it, it is taken for hostile. */
export const reportLimits = { bytes: 4 * 1024 * 1024, events: 200, nodes: 20_000, valueBytes: 512 * 1024 * 1024, runBytes: 4 * 1024 ** 3 };

const json = z
  .string()
  .max(inlineValueBytes)
  .refine((text) => Buffer.byteLength(text) <= inlineValueBytes && isJson(text), "is no JSON, or too large to be sent along");

/** A value as it comes from a sandbox. */
export const SentValue = z.union([
  z.strictObject({ json }),
  z.strictObject({ blob: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().min(0), preview: z.string().max(2000) }),
]);
export type SentValue = z.infer<typeof SentValue>;

const attempt = z.int().min(1).max(32_767);
const seq = z.int().min(1).max(2_000_000_000);
const key = z.string().regex(/^[0-9a-f]{64}$/);
/** JavaScript's largest time would be one that PostgreSQL does not know. */
const at = z.int().min(0).max(4_102_444_800_000);

/** Something that happened to a node. */
export const NodeEvent = z.strictObject({
  seq,
  path: nodePath,
  at,
  state: z.enum(["running", "succeeded", "failed", "skipped", "cancelled", "reused"]),
  inputs: SentValue.optional(),
  output: SentValue.optional(),
  key: key.optional(),
  source: z.string().max(64).optional(),
  pinned: z.boolean().optional(),
  error: z.strictObject({ kind: z.string().max(200), message: z.string().max(5000) }).optional(),
});
export type NodeEvent = z.infer<typeof NodeEvent>;

export const NodeReport = z.strictObject({ attempt, events: z.array(NodeEvent).min(1).max(reportLimits.events) });
export const KeptQuestion = z.strictObject({ attempt, path: nodePath, key });
export const ApprovalQuestion = z.strictObject({ attempt, seq, path: nodePath, message: z.string().max(4000), inputs: SentValue });
export type ApprovalQuestion = z.infer<typeof ApprovalQuestion>;

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
