import { z } from "zod";
import { NetworkPolicy } from "./network.ts";
import { LeastTier, LimitsInput } from "./runs.ts";

const word = z
  .string()
  .max(4096)
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "no NUL, valid Unicode");

export const DependencySource = z.enum(["pyproject", "requirements", "package.json", "go.mod", "inline", "manual", "none"]);
export type DependencySource = z.infer<typeof DependencySource>;

/** One package that a program needs. */
export const Dependency = z.strictObject({
  name: word.min(1).max(214),
  constraint: word.max(200).default("").describe("as its ecosystem writes it (`>=2,<3`); empty for any"),
  extras: z.array(word.min(1).max(100)).max(50).default([]),
});
export type Dependency = z.infer<typeof Dependency>;

/** Where a program's dependencies are written, and what they are. */
export const Dependencies = z.strictObject({
  source: DependencySource,
  file: word.nullable().default(null).describe("the path in the tree that they were read from"),
  packages: z.array(Dependency).max(2000).default([]),
});
export type Dependencies = z.infer<typeof Dependencies>;

/** How much a program may use: a size, or limits of its own. */
export const ResourceProfile = z.union([z.enum(["small", "medium", "large"]), LimitsInput]);
export type ResourceProfile = z.infer<typeof ResourceProfile>;

/** Whose runs get a secret: those of the owner alone, also of whoever may change the program, or of everybody who may run it. */
export const SecretAudience = z.enum(["owner", "editors", "runners"]);
export type SecretAudience = z.infer<typeof SecretAudience>;

/** A secret of the owner that enters the sandbox as a variable. The program's own say counts, in runs of its versions as well. */
export const ProgramSecret = z.strictObject({
  variable: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .max(256),
  credentialId: z.string().max(64),
  givenTo: SecretAudience.default("runners").describe("whose runs get it"),
});
export type ProgramSecret = z.infer<typeof ProgramSecret>;

/** How a program is run. */
export const ProgramConfig = z
  .strictObject({
    runtime: z.string().min(1).max(64).describe("a runtime's name, e.g. `python`"),
    runtimeVersion: z.string().min(1).max(32).nullable().default(null).describe("what its version begins with; null for the default one"),
    entrypoint: word.min(1).describe("a path in the tree"),
    args: z.array(word.max(131_072)).max(1000).default([]),
    dependencies: Dependencies.default({ source: "none", file: null, packages: [] }),
    profile: ResourceProfile.default("small"),
    leastTier: LeastTier.optional().describe("how its runs are isolated at least"),
    network: NetworkPolicy.default("none"),
    modelId: z.string().max(64).nullable().default(null).describe("the model that the program is bound to"),
    secrets: z.array(ProgramSecret).max(100).default([]),
  })
  .meta({ id: "ProgramConfig" });
export type ProgramConfig = z.output<typeof ProgramConfig>;
export type ProgramConfigInput = z.input<typeof ProgramConfig>;
