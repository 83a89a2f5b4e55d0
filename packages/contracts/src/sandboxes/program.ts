import { z } from "zod";

/** What an interactive environment has of its program, as it was when it was started. */
export const SandboxProgram = z
  .object({
    id: z.string(),
    name: z.string(),
    version: z.string().nullable().describe("null: the working tree"),
    tree: z.string().nullable().describe("the files that it began with"),
    environmentId: z.string().nullable().describe("its packages; null when it needs none"),
    modelId: z.string().nullable().describe("the model that it may call"),
    secretVariables: z.array(z.string()).describe("variables with secrets of the program"),
    variables: z.array(z.string()).default([]).describe("plain variables that it was started with"),
    datasets: z
      .array(
        z.object({
          id: z.string(),
          name: z.string().describe("what its programs call it"),
          version: z.string().nullable(),
          split: z.string().nullable(),
          path: z.string().describe("where its rows are"),
        }),
      )
      .default([])
      .describe("datasets that it was started with"),
    withheldVariables: z.array(z.string()).describe("those whose secrets this person does not get here"),
  })
  .meta({ id: "SandboxProgram" });
export type SandboxProgram = z.infer<typeof SandboxProgram>;

/** Why a sandbox could not be started. */
export const SandboxStartError = z
  .object({
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    explanation: z.string().nullable().describe("what the package manager says about it"),
  })
  .meta({ id: "SandboxStartError" });
export type SandboxStartError = z.infer<typeof SandboxStartError>;
