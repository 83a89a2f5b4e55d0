import type { RunError, RunSuggestion } from "@syla/contracts/runs";
import {
  adviseCommand,
  adviseFile,
  adviseGoPackage,
  adviseHost,
  adviseModule,
  adviseNpmPackage,
  adviseVariable,
  type Advice,
  type FailedRun,
} from "./advice.ts";
import { suggestionRules, type SuggestionRule } from "./rules.ts";

const mostOutputLines = 60;
const mostCharacters = 600;
const mebibyte = 1024 * 1024;

/** What is likely to help against an error; null when nothing is known to. `lines`: what the program printed as errors. */
export function suggest(
  error: Pick<RunError, "code" | "message" | "causes">,
  lines: readonly string[],
  run: FailedRun,
): RunSuggestion | null {
  const told = [error.message, ...error.causes].map((line) => line.slice(0, mostCharacters));
  const printed = lines.slice(-mostOutputLines).map((line) => line.slice(0, mostCharacters));
  for (const rule of suggestionRules) {
    if (rule.languages?.includes(run.language) === false || rule.codes?.includes(error.code) === false) continue;
    const groups = find(rule.pattern, rule.output === true ? [...told, ...printed] : told);
    if (groups !== null) return apply(rule, groups, run);
  }
  return null;
}

/** The named groups of the first line that the pattern fits. */
function find(pattern: RegExp, lines: readonly string[]): Readonly<Record<string, string | undefined>> | null {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) return match.groups ?? {};
  }
  return null;
}

function apply(rule: SuggestionRule, groups: Readonly<Record<string, string | undefined>>, run: FailedRun): RunSuggestion {
  const subject = groups["subject"] ?? groups["b"] ?? groups["c"] ?? groups["d"] ?? groups["e"] ?? null;
  const advice = adviseOn(rule, subject, run);
  if (advice !== null) return { kind: advice.kind, text: advice.text, subject: advice.subject };
  const facts: Readonly<Record<string, string | undefined>> = {
    ...groups,
    ...(subject === null ? {} : { subject }),
    wall: `${run.limits.wallMs / 1000} s`,
    memory: `${Math.round(run.limits.memoryBytes / mebibyte)} MiB`,
    disk: `${Math.round(run.limits.diskBytes / mebibyte)} MiB`,
  };
  const text = rule.text.replaceAll(/\{(\w+)\}/g, (_all, name: string) => facts[name] ?? "it");
  return { kind: rule.kind, text, subject };
}

function adviseOn(rule: SuggestionRule, subject: string | null, run: FailedRun): Advice | null {
  if (rule.subject === "host") return adviseHost(subject, run);
  if (rule.subject === undefined || rule.subject === "model") return null;
  if (subject === null) return { kind: rule.kind, subject, text: "A file that it needs is not there: check its name, and send it along." };
  switch (rule.subject) {
    case "module":
      return adviseModule(subject, run);
    case "npm_package":
      return adviseNpmPackage(subject, run);
    case "go_package":
      return adviseGoPackage(subject, run);
    case "file":
      return adviseFile(subject, run);
    case "command":
      return adviseCommand(subject);
    case "variable":
      return adviseVariable(subject, run);
  }
}
