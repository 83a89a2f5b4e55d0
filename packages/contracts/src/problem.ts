import { z } from "zod";

/** An error over HTTP: an RFC 9457 problem document with a stable `code`. */
export const Problem = z
  .object({
    type: z.string().describe("URI reference of the error's documentation"),
    title: z.string(),
    status: z.int(),
    code: z.string().describe("stable code from the error catalogue"),
    detail: z.string(),
    hint: z.string(),
    requestId: z.string(),
    fields: z.array(z.object({ path: z.string(), message: z.string() })),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof Problem>;
