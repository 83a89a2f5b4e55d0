import { z } from "zod";

/** How to tell from the end of the error output what went wrong. Named groups: `file`, `line`, `message`. */
const ErrorPattern = z.strictObject({
  pattern: z.string().transform(toPattern),
  code: z.enum(["syntax_error", "uncaught_exception", "out_of_memory"]),
});
function toPattern(text: string, context: z.RefinementCtx): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
}

export type ErrorPattern = z.infer<typeof ErrorPattern>;

/**
 * Where a binary may be on the host: a path, in which `*` and other wildcards stand for every version there is. `$NODE` is the server's own
 * Node.js, `$HOME` the server's home, `$RUNTIMES` the folder of `syla runtimes install`. Outside of the system's folders the file itself is
 * shown to programs, with `up` the folder so many levels above it. `default`: the version that a plain name means.
 */
const Candidate = z.union([
  z.string().transform((path) => ({ path, up: null, default: false })),
  z.strictObject({ path: z.string(), up: z.int().min(1).max(4).nullable().default(null), default: z.boolean().default(false) }),
]);
export type Candidate = z.infer<typeof Candidate>;

/** A file's path that stays below its folder. */
const insidePath = z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[^\0]+$/);

/** How source becomes what is run. Words: `{binary}`, `{compiler}`, `{entrypoint}`, `{sources}` (entrypoint first), `{folder}` of the entrypoint. */
const Compile = z.strictObject({
  /** A program beside the binary; the binary itself when left out. */
  compiler: insidePath.nullable().default(null),
  /** The files that `{sources}` stands for. */
  sources: z.array(z.string().startsWith(".")),
  command: z.array(z.string()).min(1),
  /** Another command for a tree that has this file at its root. */
  manifests: z.record(insidePath, z.array(z.string()).min(1)).default({}),
  env: z.record(z.string(), z.string()).default({}),
  /** Finds the first error in what the compiler prints. Named groups: `file`, `line`, `message`. */
  errors: z.array(z.string().transform(toPattern)),
  /** Compiled once from the toolchain's own sources, and shown to every compilation read-only. */
  library: z
    .strictObject({
      command: z.array(z.string()).min(1),
      env: z.record(z.string(), z.string()).default({}),
      target: z.string().startsWith("/opt/"),
      /** Variables of a compilation that finds it at `target`. */
      use: z.record(z.string(), z.string()),
    })
    .nullable()
    .default(null),
});
export type CompileDefinition = z.infer<typeof Compile>;

/** How to learn which lines of a program ran. It is written below `/output/.coverage`. */
const Coverage = z.strictObject({
  /** `lines`: `{path: {lines, executed}}` by our own tracer; `v8`: what V8 writes. */
  format: z.enum(["lines", "v8"]),
  /** A file beside `runtime.yaml` that is put into the folder `.coverage` of the workspace. */
  file: insidePath.nullable().default(null),
  /** In place of the runtime's command. */
  command: z.array(z.string()).min(1).nullable().default(null),
  env: z.record(z.string(), z.string()).default({}),
});

/** `runtimes/<name>/runtime.yaml`: a language as data. */
export const RuntimeDefinition = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9+-]*$/),
  title: z.string(),
  aliases: z.array(z.string()),
  extensions: z.array(z.string().startsWith(".")),
  shebangs: z.array(z.string()),
  /** The file that bare code becomes, and what it becomes under other names of the language. */
  entrypoint: z.string(),
  entrypoints: z.record(z.string(), z.string()).default({}),
  binary: z.strictObject({ candidates: z.array(Candidate).min(1), version: z.array(z.string()) }),
  /** Host folders and files that its programs need besides /usr, with wildcards; shown read-only where they are. */
  mounts: z.array(z.string().startsWith("/")).default([]),
  /** What an image of the language needs besides the binary and its libraries: host paths, and words that make the binary print such paths. */
  image: z
    .strictObject({ ask: z.array(z.string()).default([]), paths: z.array(z.string().startsWith("/")).default([]) })
    .default({ ask: [], paths: [] }),
  install: z.string(),
  compile: Compile.nullable().default(null),
  command: z.array(z.string()).min(1),
  coverage: Coverage.nullable().default(null),
  pooling: z.enum(["fork", "preboot", "cold"]),
  /** With `preboot`: a file beside this one that is shown to programs as `{script}`, and the command that boots with it and waits. */
  preboot: z.strictObject({ script: insidePath, command: z.array(z.string()).min(1) }).optional(),
  preimport: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  bootVariables: z.array(z.string()),
  reservesMemory: z.boolean(),
  errors: z.array(ErrorPattern),
});
export type RuntimeDefinition = z.infer<typeof RuntimeDefinition>;
