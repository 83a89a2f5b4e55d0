import { z } from "zod";
import { AnalysisDocument } from "./analysis.ts";
import { route } from "./route.ts";

/** How far a tree of files has been analysed. Kept by its files: equal trees are analysed once, whoever has them. */
export const TreeAnalysis = z.object({
  tree: z.string().nullable().describe("the hash of the files; null when there are none"),
  state: z.enum(["none", "running", "done", "failed"]),
  analysis: AnalysisDocument.nullable().describe("once it is `done`"),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable().describe("why it has `failed`"),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
export type TreeAnalysis = z.infer<typeof TreeAnalysis>;

/** What a version of a program is, told without running any of it. */
export const ProgramAnalysis = z
  .object({
    programId: z.string(),
    version: z.string().nullable().describe("null: the working tree"),
    ...TreeAnalysis.shape,
  })
  .meta({ id: "ProgramAnalysis" });
export type ProgramAnalysis = z.infer<typeof ProgramAnalysis>;

const common = { tag: "programs", auth: "user", params: z.object({ id: z.string().max(64) }) } as const;
const version = z.string().max(64).optional().describe("a published version; what is there now when left out");

export const programAnalysisRoutes = {
  getProgramAnalysis: route({
    ...common,
    method: "GET",
    path: "/api/v1/programs/:id/analysis",
    summary: "Read what a program is: slots, calls, entrypoints, dependencies, problems",
    query: z.object({ version }),
    responses: { 200: ProgramAnalysis },
    errors: ["not_found", "asset_deleted"],
  }),
  analyseProgram: route({
    ...common,
    audit: "asset.analyse",
    method: "POST",
    path: "/api/v1/programs/:id/analysis",
    summary: "Analyse a program unless that has been done; answers at once",
    body: z.strictObject({ version }),
    responses: { 202: ProgramAnalysis },
    errors: ["not_found", "asset_deleted", "quota_exceeded"],
  }),
};
