import { z } from "zod";

/** The workspace that a sandbox is in. */
export const SandboxWorkspace = z
  .object({
    id: z.string(),
    name: z.string().describe("as it was when the sandbox began"),
    writeBack: z.boolean().describe("whether what is changed goes back"),
  })
  .meta({ id: "SandboxWorkspace" });
export type SandboxWorkspace = z.infer<typeof SandboxWorkspace>;

/** What became of what was changed in a sandbox. */
export const SandboxSaved = z
  .object({
    at: z.iso.datetime(),
    outcome: z
      .enum(["unchanged", "merged", "kept_beside", "refused"])
      .describe(
        "`merged`: it is in the workspace; `kept_beside`: it is a version of it, since others had changed the same; `refused`: it is in the sandbox alone",
      ),
    changed: z.int().describe("files that were made, changed or removed"),
    skipped: z.int().describe("entries that are no files that a workspace holds"),
    fetched: z.int().describe("files that others had changed, which are in the sandbox now"),
    version: z.int().nullable().describe("the version that holds what was kept beside"),
    revision: z.int().describe("of the workspace that both have in common since"),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: "SandboxSaved" });
export type SandboxSaved = z.infer<typeof SandboxSaved>;
