import { z } from "zod";
import { route } from "./route.ts";
import { FileInput } from "./runs.ts";

/**
 * What a tree of files is, told without running any of it: where it may be started, what it needs, the slots it has, where it uses
 * mellea, and what is wrong. Lists are bounded; `leftOut` counts what did not fit. Lines and columns count from 1.
 */

const place = {
  file: z.string().describe("path in the tree; bytes of a name that are no UTF-8 are escaped"),
  line: z.int().nullable(),
};
/** Of a notebook `line` counts within the cell. */
const cell = z.int().nullable().describe("the cell of a notebook, from 1; null for other files");

/** Where a program may be started. */
export const AnalysedEntrypoint = z
  .object({
    kind: z.enum([
      "script",
      "main_guard",
      "module",
      "inline_script",
      "name",
      "mellea_serve",
      "notebook",
      "node_bin",
      "node_script",
      "node_main",
      "node_name",
      "go_main",
    ]),
    name: z.string(),
    ...place,
    target: z.string().nullable().describe("what is started: `package.module:function`, a module, a path or a command"),
    reason: z.string(),
    confidence: z.number().min(0).max(1),
  })
  .meta({ id: "AnalysedEntrypoint" });
export type AnalysedEntrypoint = z.infer<typeof AnalysedEntrypoint>;

/** Something that a program needs from elsewhere. */
export const AnalysedDependency = z
  .object({
    ecosystem: z.enum(["python", "node", "go"]),
    name: z.string(),
    constraint: z.string().nullable().describe("as it is written; null for any version"),
    extras: z.array(z.string()),
    marker: z.string().nullable().describe("when it is needed (PEP 508)"),
    group: z.string().nullable().describe("`dev`, `build`, `constraint`, `indirect`, the name of an extra; null: always needed"),
    source: z.enum([
      "pyproject",
      "poetry",
      "requirements",
      "inline",
      "setup.cfg",
      "setup.py",
      "pipfile",
      "notebook",
      "package.json",
      "go.mod",
      "imports",
    ]),
    ...place,
    cell,
    url: z.string().nullable().describe("where it comes from or what replaces it, without credentials"),
    hashes: z.int().describe("how many hashes pin its content"),
  })
  .meta({ id: "AnalysedDependency" });
export type AnalysedDependency = z.infer<typeof AnalysedDependency>;

/** One argument of a slot. Types and defaults are the text of the source. */
export const SlotArgument = z
  .object({
    name: z.string(),
    kind: z.enum(["positional-only", "positional-or-keyword", "var-positional", "keyword-only", "var-keyword"]),
    type: z.string().nullable(),
    default: z.string().nullable(),
    required: z.boolean(),
    description: z.string().nullable().describe("from the docstring: Google's, NumPy's or Sphinx's way"),
  })
  .meta({ id: "SlotArgument" });
export type SlotArgument = z.infer<typeof SlotArgument>;

export const slotReasons = [
  "called_decorator",
  "lambda",
  "signature_unknown",
  "nested",
  "unbound_self",
  "class_method",
  "reserved_argument",
  "positional_only",
  "decorated_again",
  "decorated_before",
  "conditional",
  "script_only",
  "notebook",
  "rebound",
  "unnamed",
  "broken_file",
] as const;

/** A function that mellea's `generative` was given. Only what surely is one is told. */
export const AnalysedSlot = z
  .object({
    name: z.string(),
    qualifiedName: z.string().describe("module and name, as Python prints it"),
    module: z.string().nullable().describe("how an import statement names the file; null when none can"),
    kind: z.enum(["function", "async"]),
    file: z.string(),
    line: z.int(),
    cell,
    arguments: z.array(SlotArgument),
    returns: z.string().nullable(),
    docstring: z.string().nullable(),
    decorators: z.array(z.string()),
    callable: z.boolean(),
    reasonCode: z.enum(slotReasons).nullable().describe("why it is not callable"),
    reason: z.string().nullable(),
  })
  .meta({ id: "AnalysedSlot" });
export type AnalysedSlot = z.infer<typeof AnalysedSlot>;

/** A place where a program uses mellea. `async` is about the form: `ainstruct` is an `instruct`. */
export const AnalysedCall = z
  .object({
    kind: z.enum([
      "instruct",
      "chat",
      "act",
      "validate",
      "query",
      "transform",
      "slot",
      "session",
      "backend",
      "strategy",
      "requirement",
      "mify",
    ]),
    name: z.string().describe("as it is called: `ainstruct`, `OllamaModelBackend`"),
    async: z.boolean(),
    file: z.string(),
    line: z.int(),
    column: z.int(),
    cell,
    within: z.string().nullable().describe("the function or class around it"),
    slot: z.string().nullable().describe("the qualified name of the slot that is called"),
    text: z.string().nullable().describe("the instruction, question or description"),
    requirements: z.array(z.string()),
    strategy: z.string().nullable(),
    backend: z.string().nullable(),
    modelId: z.string().nullable(),
    certain: z.boolean().describe("false: what it is called on is only likely a session"),
  })
  .meta({ id: "AnalysedCall" });
export type AnalysedCall = z.infer<typeof AnalysedCall>;

/** Something that looks secret: where it is, never what it is. */
export const AnalysedSecret = z.object({ ...place, kind: z.string(), reason: z.string() }).meta({ id: "AnalysedSecret" });
export type AnalysedSecret = z.infer<typeof AnalysedSecret>;

/** Something wrong, or something that could not be looked at. */
export const AnalysisProblem = z
  .object({
    severity: z.enum(["error", "warning", "info"]),
    code: z.string().describe("`syntax_error`, `newer_syntax`, `runs_code`, …"),
    message: z.string(),
    file: z.string().nullable(),
    line: z.int().nullable(),
    column: z.int().nullable(),
    cell,
  })
  .meta({ id: "AnalysisProblem" });
export type AnalysisProblem = z.infer<typeof AnalysisProblem>;

/** An environment variable that a program reads. */
export const AnalysedVariable = z
  .object({ name: z.string(), required: z.boolean().describe("the program ends without it, as far as this place tells"), ...place, cell })
  .meta({ id: "AnalysedVariable" });
export type AnalysedVariable = z.infer<typeof AnalysedVariable>;

/** A file that says what the program is and needs. */
export const AnalysedManifest = z
  .object({
    kind: z.enum(["pyproject", "requirements", "inline", "setup.cfg", "setup.py", "pipfile", "python-version", "package.json", "go.mod"]),
    file: z.string(),
    name: z.string().nullable(),
    version: z.string().nullable(),
    dynamic: z.boolean().describe("its dependencies are computed when it is built, so they are not known"),
    options: z.array(z.string()).describe("options of requirements files, without credentials"),
    requires: z.array(z.object({ language: z.string(), constraint: z.string(), line: z.int().nullable() })),
  })
  .meta({ id: "AnalysedManifest" });
export type AnalysedManifest = z.infer<typeof AnalysedManifest>;

const lists = {
  pythonVersions: z.array(z.object({ constraint: z.string(), source: z.string(), ...place })).max(100),
  manifests: z.array(AnalysedManifest).max(200),
  entrypoints: z.array(AnalysedEntrypoint).max(200).describe("the likeliest first"),
  dependencies: z.array(AnalysedDependency).max(2000),
  slots: z.array(AnalysedSlot).max(2000),
  calls: z.array(AnalysedCall).max(5000),
  secrets: z.array(AnalysedSecret).max(500),
  variables: z.array(AnalysedVariable).max(500).default([]),
  problems: z.array(AnalysisProblem).max(1000).describe("the worst first"),
};

/** What the analyser writes. It is as hostile as what it read, so it is parsed like any input. */
export const AnalysisDocument = z
  .object({
    interpreter: z.string().max(50).describe("the Python that read it: newer syntax is told as such"),
    complete: z.boolean().describe("false: there was no time for all files"),
    files: z.object({
      total: z.int(),
      bytes: z.int(),
      python: z.int(),
      notebooks: z.int(),
      leftOut: z.int().describe("files above the limit of 10,000"),
      unread: z.int().describe("files for which there was no time"),
    }),
    ...lists,
    leftOut: z.object(
      Object.fromEntries(Object.keys(lists).map((name) => [name, z.int().default(0)])) as Record<
        keyof typeof lists,
        z.ZodDefault<z.ZodInt>
      >,
    ),
  })
  .meta({ id: "AnalysisDocument" });
export type AnalysisDocument = z.infer<typeof AnalysisDocument>;

/** An analysis, and the run that made it. */
export const Analysis = AnalysisDocument.extend({
  runId: z.string(),
  cached: z.boolean().describe("an equal tree of yours was analysed before"),
}).meta({ id: "Analysis" });
export type Analysis = z.infer<typeof Analysis>;

export const AnalysisInput = z
  .strictObject({ files: z.array(FileInput).min(1).max(10_000).describe("the whole tree") })
  .meta({ id: "AnalysisInput" });
export type AnalysisInput = z.output<typeof AnalysisInput>;

export const analysisRoutes = {
  createAnalysis: route({
    method: "POST",
    path: "/api/v1/analyses",
    summary: "Analyse a tree of files without running any of it",
    tag: "runs",
    auth: "user",
    audit: "analysis.create",
    body: AnalysisInput,
    responses: { 200: Analysis },
    errors: [
      "invalid_path",
      "blob_unknown",
      "runtime_unavailable",
      "tier_unavailable",
      "tier_too_weak",
      "queue_full",
      "quota_exceeded",
      "payload_too_large",
      "analysis_failed",
    ],
  }),
  getAnalysis: route({
    method: "GET",
    path: "/api/v1/analyses/:id",
    summary: "Read what an analysis told, by the id of its run",
    tag: "runs",
    auth: "user",
    params: z.object({ id: z.string().max(64) }),
    responses: { 200: Analysis },
    errors: ["not_found", "analysis_failed"],
  }),
};
