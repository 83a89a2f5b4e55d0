import { z } from "zod";

/** Judging: a program is run once for each test case, and each gets a verdict. Shapes that runs carry. */

export const testVerdicts = [
  "accepted",
  "wrong_answer",
  "time_limit",
  "memory_limit",
  "runtime_error",
  "compile_error",
  "skipped",
] as const;
export const TestVerdict = z.enum(testVerdicts).meta({ id: "TestVerdict" });
export type TestVerdict = z.infer<typeof TestVerdict>;

/** How what a program printed is compared with what was expected. */
export const TestCheck = z
  .union([
    z.literal("exact").describe("byte for byte"),
    z.literal("trimmed").describe("spaces at the ends of lines, empty lines at the end, and CR before LF do not count"),
    z
      .strictObject({ tolerance: z.number().min(0).max(1e9) })
      .describe("word by word; numbers may differ by so much, absolutely or in relation to the expected one"),
    z
      .strictObject({
        program: z.strictObject({
          language: z.string().min(1).max(64),
          code: z.string().min(1),
        }),
      })
      .describe(
        "a program that is given the paths of input, output and expected output as arguments: exit code 0 accepts, 1 does not, and the first line that it prints is the message",
      ),
  ])
  .meta({ id: "TestCheck" });
export type TestCheck = z.infer<typeof TestCheck>;

const name = z.string().min(1).max(200);
const text = z.string();
const noNul = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");
const testFile = z.union([
  z.strictObject({ path: z.string().min(1).max(4096), content: text }),
  z.strictObject({ path: z.string().min(1).max(4096), contentBase64: z.base64() }),
]);

/** One test case: what the program is given, and what it has to give. */
export const TestCase = z
  .strictObject({
    name: name.optional(),
    stdin: text.optional(),
    stdinBase64: z.base64().optional(),
    args: z
      .array(noNul.pipe(z.string().max(131_072)))
      .max(1000)
      .optional()
      .describe("in place of the run's arguments"),
    files: z.array(testFile).max(100).optional().describe("besides the program's own"),
    expected: z
      .strictObject({
        stdout: text.optional().describe("left out: what it prints does not matter"),
        stdoutBase64: z.base64().optional(),
        files: z.array(testFile).max(100).optional().describe("below `/output`"),
        exitCode: z.int().min(0).max(255).optional().describe("0 when left out"),
      })
      .default({}),
    check: TestCheck.optional(),
    hidden: z.boolean().optional().describe("its input, its expected output, what the program printed and its exit code are never shown"),
    limits: z
      .strictObject({
        wallMs: z.int().min(10).max(600_000).optional(),
        memoryBytes: z
          .int()
          .min(16 * 1024 * 1024)
          .max(8 * 1024 ** 3)
          .optional(),
      })
      .optional()
      .describe("in place of the run's"),
  })
  .meta({ id: "TestCase" });
export type TestCase = z.output<typeof TestCase>;

/** The test cases of a run. Each runs in a fresh sandbox; the program is compiled once. */
export const Tests = z
  .strictObject({
    cases: z.array(TestCase).min(1).max(1000),
    check: TestCheck.default("trimmed"),
    parallel: z.int().min(1).max(64).default(1).describe("cases at once; at most as many as the server has processors"),
    stopOnFailure: z.boolean().default(false).describe("skip what comes after the first case that is not accepted"),
    coverage: z.boolean().default(false).describe("tell which lines ran (Python and Node.js; slower)"),
  })
  .meta({ id: "Tests" });
export type Tests = z.output<typeof Tests>;
export type TestsDraft = z.input<typeof Tests>;

/** A case that has been judged. */
export const TestResult = z
  .object({
    name,
    hidden: z.boolean(),
    verdict: TestVerdict,
    message: z.string().nullable().describe("what is wrong, in a line; nothing of the content of a hidden case"),
    exitCode: z.int().nullable(),
    signal: z.string().nullable(),
    runMs: z.number().nullable(),
    cpuMs: z.number().nullable(),
    peakMemoryBytes: z.number().nullable(),
  })
  .meta({ id: "TestResult" });
export type TestResult = z.infer<typeof TestResult>;

/** What came of a run's test cases. */
export const TestSummary = z
  .object({
    verdict: TestVerdict.describe("`accepted` when every case is, else the verdict of the first that is not"),
    passed: z.int(),
    total: z.int(),
    cases: z.array(TestResult),
    coverage: z.object({ covered: z.int(), total: z.int() }).nullable().describe("lines of the program's own files"),
  })
  .meta({ id: "TestSummary" });
export type TestSummary = z.infer<typeof TestSummary>;

/** The content of a judged case, cut where it is long; null for a hidden one. */
export const TestDetail = z
  .object({
    stdin: z.string(),
    expected: z.string().nullable(),
    stdout: z.string(),
    stderr: z.string(),
  })
  .meta({ id: "TestDetail" });
export type TestDetail = z.infer<typeof TestDetail>;

/** Lines of one file that ran, and that could have. */
export const FileCoverage = z
  .object({ path: z.string(), covered: z.int(), total: z.int(), missed: z.array(z.int()).describe("line numbers, from 1") })
  .meta({ id: "FileCoverage" });
export type FileCoverage = z.infer<typeof FileCoverage>;

/** Everything that a run's test cases can show. `details` has an entry for each case, in order. */
export const TestReport = z
  .object({ summary: TestSummary, details: z.array(TestDetail.nullable()), coverage: z.array(FileCoverage).nullable() })
  .meta({ id: "TestReport" });
export type TestReport = z.infer<typeof TestReport>;
