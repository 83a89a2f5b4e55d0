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
  binary: z.strictObject({
    /** Host paths, the first that is there counts; `$NODE` is the server's own Node.js. */
    candidates: z.array(z.string()).min(1),
    version: z.array(z.string()),
  }),
  install: z.string(),
  command: z.array(z.string()).min(1),
  pooling: z.enum(["fork", "cold"]),
  preimport: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  bootVariables: z.array(z.string()),
  reservesMemory: z.boolean(),
  errors: z.array(ErrorPattern),
});
export type RuntimeDefinition = z.infer<typeof RuntimeDefinition>;
