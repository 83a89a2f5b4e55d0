import { z } from "zod";
import { route } from "./route.ts";
import { LimitsInput, Tier } from "./runs.ts";

/** A language that the sandbox can run, as this server sees it. */
export const Runtime = z
  .object({
    name: z.string().describe("what goes into `language`"),
    title: z.string(),
    aliases: z.array(z.string()),
    extensions: z.array(z.string()).describe("with the dot: `.py`"),
    defaultEntrypoint: z.string(),
    version: z.string().nullable().describe("what a plain name runs; null when unavailable"),
    versions: z.array(z.string()).describe("everything that is installed, the default first; chosen with `name@version`"),
    available: z.boolean(),
    pooling: z
      .enum(["fork", "preboot", "cold"])
      .describe("how it starts: forked from a booted interpreter, booted ahead and used once, or afresh"),
    compiled: z.boolean().describe("its programs are compiled before they run"),
    install: z.string().nullable().describe("how to get it when it is unavailable"),
    packages: z
      .object({
        manager: z.enum(["uv", "npm", "go"]),
        available: z.boolean(),
        install: z.string().nullable().describe("how to get it when it is unavailable"),
      })
      .nullable()
      .describe("what installs the packages of its programs; null: they have none"),
    example: z.string().describe("a small program that runs"),
  })
  .meta({ id: "Runtime" });
export type Runtime = z.infer<typeof Runtime>;

/** What runs and sandboxes of this server may ask for besides a language. */
export const RunOptions = z
  .object({
    defaultTier: Tier.describe("what those get that ask for none"),
    tiers: z.array(
      z.object({ tier: Tier, available: z.boolean(), reason: z.string().nullable().describe("why it cannot be had, and what to do") }),
    ),
    profiles: z
      .array(z.object({ name: z.enum(["small", "medium", "large"]), limits: LimitsInput }))
      .describe("the sizes, and what a program of each gets"),
  })
  .meta({ id: "RunOptions" });
export type RunOptions = z.infer<typeof RunOptions>;

export const runtimeRoutes = {
  getRunOptions: route({
    method: "GET",
    path: "/api/v1/run-options",
    summary: "What runs and sandboxes may ask for: tiers, and sizes",
    tag: "runtimes",
    auth: "user",
    responses: { 200: RunOptions },
    errors: [],
  }),
  listRuntimes: route({
    method: "GET",
    path: "/api/v1/runtimes",
    summary: "List the languages",
    tag: "runtimes",
    auth: "user",
    responses: { 200: z.object({ items: z.array(Runtime) }) },
    errors: [],
  }),
};
