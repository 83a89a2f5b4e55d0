import { AppError, type FieldProblem } from "@syla/contracts/errors";
import type { TestCase, TestCheck, Tests } from "@syla/contracts/tests";
import type { InstalledRuntime, Runtimes } from "../../runtimes/service.ts";
import { checkPaths } from "../../platform/paths.ts";

/**
 * Checks what the schema cannot: files that can be put in place, one input each, checkers that can be run. Answers the versions of what the
 * checkers run on. @throws AppError
 */
export function checkTests(
  tests: Tests,
  runtime: InstalledRuntime,
  runtimes: Runtimes,
  programPaths: readonly string[],
): (string | null)[] {
  if (tests.coverage && runtime.definition.coverage === null)
    throw new AppError("coverage_unavailable", { message: `Coverage cannot be told for ${runtime.definition.title}.` });
  const fields = tests.cases.flatMap((testCase, index) => problemsOf(testCase, `tests.cases.${index}`));
  if (fields.length > 0)
    throw new AppError("invalid_request", { message: `The request is not valid. \`${fields[0]?.path}\` ${fields[0]?.message}.`, fields });
  for (const testCase of tests.cases) {
    const own = (testCase.files ?? []).map((file) => file.path);
    if (own.length > 0) checkPaths([...new Set([...programPaths, ...own])]);
    checkPaths((testCase.expected.files ?? []).map((file) => file.path));
  }
  const checks = [tests.check, ...tests.cases.map((testCase) => testCase.check)];
  return checks.flatMap((check) => (check === undefined ? [] : requireChecker(check, runtimes)));
}

function requireChecker(check: TestCheck, runtimes: Runtimes): (string | null)[] {
  if (typeof check === "string" || !("program" in check)) return [];
  const { spec, definition, version } = runtimes.get(check.program.language);
  if (spec !== null) return [version];
  throw new AppError("runtime_unavailable", {
    message: `${definition.title}, the language of a checker, is not installed on this server.`,
    hint: `An administrator can install it: ${definition.install}`,
  });
}

function problemsOf({ expected, ...testCase }: TestCase, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (testCase.stdin !== undefined && testCase.stdinBase64 !== undefined)
    problems.push({ path: `${path}.stdinBase64`, message: "conflicts with stdin" });
  if (expected.stdout !== undefined && expected.stdoutBase64 !== undefined)
    problems.push({ path: `${path}.expected.stdoutBase64`, message: "conflicts with stdout" });
  const files = [...(testCase.files ?? []), ...(expected.files ?? [])];
  const texts = [
    testCase.stdin,
    expected.stdout,
    ...(testCase.args ?? []),
    ...files.map((file) => ("content" in file ? file.content : "")),
  ];
  if (texts.some((text) => text?.isWellFormed() === false))
    problems.push({ path, message: "holds text that is not valid Unicode: send such bytes in base64" });
  if (expected.files?.some((file) => file.path === ".coverage" || file.path.startsWith(".coverage/")))
    problems.push({ path: `${path}.expected.files`, message: "must not name the folder .coverage" });
  return problems;
}
