import { z } from "zod";

const text = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => !value.includes("\0"), "must not contain NUL");

const path = text
  .refine((value) => !value.startsWith("/") && !value.split("/").includes(".."), "must lie in the folder of this file")
  .describe("relative to this file, and below it");

const size = z
  .union([z.int().positive(), z.string().regex(/^\d+(\.\d+)?([kmgt]?)(i?b)?$/i, "must be a size like 512M or 4G")])
  .describe("bytes, or a size like `512M` or `4G`");
const count = z.number().positive();

/** What a program may use; the names of `--resource`, and `timeout`. */
export const ProjectResources = z
  .strictObject({
    timeout: z
      .union([z.number().positive(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)?$/, "must be a duration like 500ms, 30s or 5m")])
      .describe("the longest that it may take: seconds, or a duration like `500ms`, `30s`, `5m`"),
    cpu: count.describe("processors"),
    memory: size,
    disk: size,
    output: size,
    processes: z.int().positive(),
    files: z.int().positive().describe("files that are open at once"),
  })
  .partial();

/** How a folder is run: what `syla exec`, `run`, `test` and `program push` take from the nearest `.syla.yml` where no flag says otherwise. */
export const ProjectFile = z
  .strictObject({
    name: z.string().trim().min(1).max(200).describe("what the program is called in the catalog"),
    runtime: z
      .string()
      .regex(/^[a-z][\w+.-]*(@[\w.+-]+)?$/i, "must be a runtime, e.g. python or python@3.11")
      .max(64)
      .describe("its language, e.g. `python` or `python@3.11`"),
    entrypoint: path.describe("the file to start"),
    args: z
      .array(z.union([z.string(), z.number()]))
      .max(1000)
      .describe("its arguments, when none are given"),
    env: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable")
          .max(256),
        z.union([z.string(), z.number(), z.boolean()]),
      )
      .describe("variables; no place for secrets, for which there are credentials"),
    env_file: z.union([path, z.array(path).max(20)]).describe("files of NAME=value lines, read here when a run begins"),
    resources: ProjectResources,
    network: z.enum(["none", "gateway", "full"]).describe("what it may reach; or `allow_domains`"),
    allow_domains: z.array(text).min(1).max(100).describe("hosts that it may reach: `pypi.org`, `*.example.org`, `db.example.org:5432`"),
    dependencies: z.array(text).max(2000).describe("packages of the program in the catalog, e.g. `requests>=2`"),
    workspace: text.describe("the workspace in which `syla exec` runs it: its id or name"),
    tests: path.describe("the test cases of `syla test`"),
  })
  .partial()
  .refine((file) => file.network === undefined || file.allow_domains === undefined, {
    path: ["allow_domains"],
    message: "cannot be combined with network",
  })
  .meta({ id: "ProjectFile", title: "A Syla project" });
export type ProjectFile = z.output<typeof ProjectFile>;
