import { join } from "node:path";
import type { Run, Syla, TestReport, TestResult, TestVerdict } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { renderError } from "../output/report-error.ts";
import { style } from "../output/style.ts";
import { createTerminalFilter, plainLine } from "../output/terminal-text.ts";
import { formatBytes, formatDuration } from "../output/units.ts";
import { fillFlags, loadProject, type ProjectFlags } from "../project/use-project.ts";
import { type ExecFlags, prepareRun, sendFiles } from "../runs/build-input.ts";
import { cancelOnSignals } from "../runs/cancel-on-signals.ts";
import { exitCodeOfRun } from "../runs/exit-code.ts";
import { followRun } from "../runs/follow-run.ts";
import { readTests } from "../runs/read-tests.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends ExecFlags, CommonFlags, ProjectFlags {
  readonly parallel?: string | true;
  readonly coverage?: boolean;
  readonly stopOnFailure?: boolean;
}

export const testCommand: Command = defineServerCommand("test", "run a program once for each test case, and judge what it does")
  .argument("[program]", "the program: a file or a folder; what .syla.yml says when left out")
  .argument("[tests]", "the test cases: a YAML or JSON file, or a folder of NAME.in and NAME.out; what .syla.yml says when left out")
  .option("-p, --parallel [cases]", "cases at once; without a number as many as the server has processors")
  .option("--coverage", "tell which lines ran (Python and Node.js)")
  .option("--stop-on-failure", "skip what comes after the first case that is not accepted")
  .option("-l, --language <name>", "the language, when the file's name does not tell it (`syla runtimes` lists them)")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("--env-file <file>", "set the variables of a file of NAME=value lines", collect, [])
  .option("-t, --timeout <duration>", "the longest a case may take, e.g. 500ms, 2s")
  .option("-r, --resource <list>", "limits of a case: cpu=2,memory=256M,disk=2G,output=20M,processes=50,files=256", collect, [])
  .option("-f, --file <path>", "send this file or folder too", collect, [])
  .option("--entrypoint <name>", "the file of a folder to start")
  .addOption(new Option("--tier <name>", "how it is isolated").choices(["namespace", "gvisor", "microvm", "kubernetes"]))
  .option("--no-project", "do not look for a .syla.yml")
  .action(async (program: string | undefined, cases: string | undefined, given: Flags) => {
    const { target, testsPath, flags } = await readWish(program, cases, given);
    const prepared = await prepareRun(target, [], { ...flags, allowDomain: [], model: [], stdin: "/dev/null" }, process.env);
    const progress = createProgress();
    const onStart = () => progress.show("starting the local server …");
    const { syla } = await connect({ env: process.env, profile: flags.profile, start: true, onStart }).finally(progress.clear);
    const tests = { ...readTests(testsPath, await syla.runtimes.list()), ...testFlags(flags) };
    const cancel = cancelOnSignals(syla);
    try {
      const input = { ...prepared.input, files: await sendFiles(syla, prepared.files, cancel.signal), tests };
      const { id } = await syla.executions.run(input, { wait: false, signal: cancel.signal });
      cancel.watch(id);
      const run = await followRun(syla, id, { signal: cancel.signal, progress, print: false });
      process.exitCode = await finish(syla, run, flags.json === true);
    } finally {
      progress.clear();
      cancel.stop();
    }
  });

/** What is to be judged, with what the project says. */
async function readWish(program: string | undefined, cases: string | undefined, flags: Flags) {
  const project = await loadProject(flags, program);
  const { folder = ".", settings = {} } = project ?? {};
  const target = program ?? (project === null ? undefined : folder);
  const testsPath = cases ?? (settings.tests === undefined ? undefined : join(folder, settings.tests));
  if (target === undefined || testsPath === undefined)
    throw usageError(
      target === undefined ? "Nothing says what to test." : "Nothing says where the test cases are.",
      "Name both: syla test PROGRAM TESTS; or write `tests` into .syla.yml.",
    );
  // Cases have no network and no workspace, whatever the project has.
  const {
    network: _network,
    allowDomain: _hosts,
    workspace: _workspace,
    ...filled
  } = project === null ? flags : fillFlags(project, flags, program === undefined);
  return { target, testsPath, flags: filled };
}

function testFlags({ parallel, coverage, stopOnFailure }: Pick<Flags, "parallel" | "coverage" | "stopOnFailure">) {
  return {
    ...(parallel !== undefined && { parallel: parallel === true ? 64 : Number(parallel) }),
    ...(coverage === true && { coverage }),
    ...(stopOnFailure === true && { stopOnFailure }),
  };
}

async function finish(syla: Syla, run: Run, json: boolean): Promise<number> {
  const report = run.tests === null ? null : await syla.runs.tests(run.id);
  if (json) printJson({ runId: run.id, status: run.status, error: run.error, ...run.tests, coverage: coverageOf(report) });
  else explain(run, report);
  if (run.tests === null) return exitCodeOfRun(run);
  return run.tests.verdict === "accepted" ? 0 : 1;
}

function coverageOf(report: TestReport | null) {
  return report?.coverage == null ? null : { ...report.summary.coverage, files: report.coverage };
}

function explain(run: Run, report: TestReport | null): void {
  if (run.tests === null || run.tests.verdict === "compile_error") {
    const filter = createTerminalFilter();
    process.stderr.write(process.stderr.isTTY ? filter.push(run.stderr) + filter.end() : run.stderr);
    if (run.error !== null) process.stderr.write(renderError({ ...run.error, class: "infrastructure", requestId: null, fields: [] }));
    if (run.tests === null) return;
  }
  printTable<TestResult>(
    [
      { title: "case", value: (result) => plainLine(result.name) },
      { title: "verdict", value: (result) => styleVerdict(result.verdict) },
      { title: "time", value: (result) => formatDuration(result.runMs), align: "right" },
      { title: "memory", value: (result) => (result.peakMemoryBytes === null ? "-" : formatBytes(result.peakMemoryBytes)), align: "right" },
      { title: "", value: (result) => plainLine(result.message ?? (result.hidden ? "hidden" : "")) },
    ],
    run.tests.cases,
  );
  for (const file of report?.coverage ?? [])
    printLine(
      `${plainLine(file.path)}: ${file.covered} of ${file.total} ${file.total === 1 ? "line" : "lines"} ran${file.missed.length > 0 ? `, not ${ranges(file.missed)}` : ""}`,
    );
  const { passed, total } = run.tests;
  printLine(style(process.stdout, passed === total ? "green" : "red", `${passed} of ${total} accepted`));
}

function styleVerdict(verdict: TestVerdict): string {
  if (verdict === "accepted") return style(process.stdout, "green", verdict);
  return style(process.stdout, verdict === "skipped" ? "yellow" : "red", verdict);
}

/** `3, 7-9` for 3, 7, 8 and 9. */
function ranges(lines: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const line of lines) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else parts.push([line, line]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}
