import { z } from "zod";

/** Types of ports are the text of a Python annotation, e.g. `list[Literal['a', 'b']] | None`, or `{name: str, age?: int}` for a record. */
const typeText = z.string().min(1).max(2000);
const name = z.string().min(1).max(100);
const longText = z.string().max(100_000);
const reference = z.strictObject({ id: z.string().max(64), version: z.string().max(64).optional() });

/** A value that goes into a node, or comes out of one. */
export const FlowField = z.strictObject({
  name,
  type: typeText.default("Any"),
  default: z.json().optional().describe("makes it optional"),
});
export type FlowField = z.infer<typeof FlowField>;

const fields = z.array(FlowField).max(100).default([]);
const requirements = z.array(z.string().min(1).max(4000)).max(50).default([]);
const loopBudget = z.int().min(1).max(100).default(3).describe("attempts, the first one included");

const reuse = (otherwise: string) =>
  z.enum(["always", "never"]).optional().describe(`whether later runs with the same inputs take its result; ${otherwise}`);

const modelOptions = z
  .strictObject({ temperature: z.number().min(0).max(2), maxTokens: z.int().min(1), seed: z.int() })
  .partial()
  .default({});

/** What each kind of node is told besides its place and its label. */
export const flowConfigs = {
  input: z.strictObject({
    name,
    type: typeText.default("Any"),
    default: z.json().optional(),
    description: z.string().max(1000).default(""),
  }),
  output: z.strictObject({ name, type: typeText.default("Any"), description: z.string().max(1000).default("") }),
  note: z.strictObject({
    text: longText.default(""),
    frame: z
      .strictObject({ width: z.number().min(1).max(100_000), height: z.number().min(1).max(100_000) })
      .optional()
      .describe("makes it the frame of a group: what lies in it moves with it"),
  }),
  program: z.strictObject({
    program: reference.optional(),
    command: z
      .array(z.string().min(1).max(4096))
      .min(1)
      .max(100)
      .describe("gets its inputs as JSON on standard input, answers with JSON on standard output"),
    inputs: fields,
    returns: typeText.default("Any"),
  }),
  slot: z.strictObject({
    program: reference.optional(),
    module: z
      .string()
      .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, "must be the name of a Python module")
      .max(200)
      .nullable()
      .default(null)
      .describe("where it is imported from; null: it is written into the file"),
    name: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, "must be the name of a Python function")
      .max(100),
    isAsync: z.boolean().default(false),
    inputs: fields,
    returns: typeText.default("str"),
    docstring: z.string().max(20_000).default(""),
    requirements,
    loopBudget,
  }),
  instruct: z.strictObject({
    prompt: longText.describe("`{{name}}` stands for a variable"),
    inputs: fields,
    requirements,
    returns: typeText.default("str"),
    loopBudget,
  }),
  model: z.strictObject({
    model: reference.optional(),
    provider: z.enum(["ollama", "openai", "watsonx", "litellm"]).default("ollama"),
    modelId: z.string().min(1).max(200),
    baseUrl: z.string().max(2000).optional(),
    options: modelOptions,
  }),
  verifier: z.strictObject({
    rule: z.enum(["requirement", "contains", "equals", "not_empty", "max_characters"]),
    text: z.string().max(4000).default(""),
    limit: z.int().min(0).default(0),
  }),
  sampler: z.strictObject({
    strategy: z.enum(["rejection", "repair", "multi_turn", "majority"]),
    loopBudget,
    samples: z.int().min(1).max(100).default(8).describe("answers that vote; only for `majority`"),
  }),
  ivr: z.strictObject({ loopBudget }),
  branch: z.strictObject({}),
  map: z.strictObject({ concurrency: z.int().min(1).max(1000).default(8) }),
  loop: z.strictObject({ maxTurns: z.int().min(1).max(10_000).default(10) }),
  merge: z.strictObject({
    mode: z.enum(["first", "vote", "list", "reduce"]),
    reduce: z.enum(["sum", "min", "max", "join"]).default("sum"),
    inputs: z.array(name).min(1).max(100),
  }),
  context_read: z.strictObject({ key: name, type: typeText.default("Any"), default: z.json().default(null) }),
  context_write: z.strictObject({ key: name }),
  code: z.strictObject({
    language: z.enum(["python", "javascript"]),
    source: longText.describe("the body of a function: it sees its inputs by their names and returns the result"),
    inputs: fields,
    returns: typeText.default("Any"),
    reuse: reuse("by default where the run has no network"),
  }),
  http: z.strictObject({
    method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("GET"),
    url: z.string().min(1).max(4000),
    headers: z
      .record(
        z
          .string()
          .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
          .max(100),
        z
          .string()
          .max(4000)
          .regex(/^[\t\x20-\x7e]*$/),
      )
      .default({}),
    allowedHosts: z
      .array(z.string().min(1).max(253))
      .max(100)
      .describe("hosts that may be reached, redirects included: `example.org`, `*.example.org`"),
    timeoutSeconds: z.number().positive().max(3600).default(30),
    reuse: reuse("by default never"),
  }),
  approval: z.strictObject({ message: z.string().max(4000).default("") }),
  module: z.strictObject({ composition: reference.optional().describe("where it was taken from") }),
} as const;

export type FlowKind = keyof typeof flowConfigs;
export const flowKinds = Object.keys(flowConfigs) as FlowKind[];
export type FlowConfig<Kind extends FlowKind> = z.infer<(typeof flowConfigs)[Kind]>;
