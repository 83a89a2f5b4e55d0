import { z } from "zod";

/** Something about a file that is imported, or about all of it. */
export const ImportProblem = z
  .object({
    severity: z.enum(["error", "warning", "info"]).describe("`error`: the file was left out, or the program cannot be made as it is"),
    code: z.string(),
    path: z.string().nullable(),
    line: z.int().nullable().default(null),
    column: z.int().nullable().default(null),
    message: z.string(),
  })
  .meta({ id: "ImportProblem" });
export type ImportProblem = z.infer<typeof ImportProblem>;
