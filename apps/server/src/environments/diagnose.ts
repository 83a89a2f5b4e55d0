import type { EnvironmentError, EnvironmentPhase } from "@syla/contracts/environments";
import { errorCatalog, type ErrorCode } from "@syla/contracts/errors";
import type { NetworkConnection } from "@syla/sandbox/egress/connection-log";
import type { SandboxExit, SandboxLimits } from "@syla/sandbox/spec";
import type { Manager } from "./request.ts";

/** How a build ended that made nothing. */
export interface FailedBuild {
  readonly manager: Manager;
  readonly phase: EnvironmentPhase;
  readonly exit: SandboxExit;
  readonly limits: SandboxLimits;
  /** The end of what was printed. */
  readonly log: string;
  readonly connections: readonly NetworkConnection[];
  /** What it was allowed to reach. */
  readonly index: readonly string[];
}

interface Sign {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly class: EnvironmentError["class"];
  readonly message: (groups: Readonly<Record<string, string | undefined>>) => string;
  readonly hint?: string;
}

const compilerHint =
  "Ask for a version that has a ready-made package for this machine, or ask an administrator to install the compiler and headers that its build names.";

/** In this order: the first that is found in the log counts. What uv, npm and Go print. */
const signs: readonly Sign[] = [
  {
    pattern: /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/,
    code: "storage_full",
    class: "infrastructure",
    message: () => errorCatalog.storage_full.message,
  },
  {
    pattern:
      /Because (?<name>\S+) was not found in the package registry|npm error 404 [^'\n]*'(?<npm>(?:@[\w.~-]+\/)?[\w.~-]+)@|(?:module|go: )\s*(?<go>[\w./~-]+)(?:@\S+)?: (?:reading \S+: )?404/,
    code: "package_not_found",
    class: "user_code",
    message: ({ name, npm, go }) => `There is no package ${name ?? npm ?? go ?? ""} in the index.`,
  },
  {
    pattern: /npm error code E404/,
    code: "package_not_found",
    class: "user_code",
    message: () => "The registry does not have one of the packages.",
  },
  {
    pattern:
      /there (?:is no version of|are no versions of) (?<name>[^\s,]+)|No matching version found for (?<npm>\S+?)\.?(?:\s|$)|(?<go>[\w./~-]+@\S+): (?:reading \S+: )?(?:invalid version|unknown revision)/,
    code: "package_version_not_found",
    class: "user_code",
    message: ({ name, npm, go }) => `There is no such version: ${name ?? npm ?? go ?? ""}.`,
  },
  {
    pattern:
      /only has wheels for|has no wheels with a matching|no wheels with a matching|requires Python|Requires-Python|EBADPLATFORM|EBADENGINE/,
    code: "package_does_not_fit",
    class: "user_code",
    message: () => "A package has no version for this language and machine.",
  },
  {
    pattern: /No solution found|ERESOLVE|requirements are unsatisfiable/,
    code: "dependency_conflict",
    class: "user_code",
    message: () => "The dependencies contradict each other.",
  },
  {
    pattern: /checksum mismatch|SECURITY ERROR|Hash mismatch|EINTEGRITY/,
    code: "package_changed",
    class: "user_code",
    message: () => "A package is not the one that the lock names: its hash is another.",
  },
  {
    pattern:
      /(?:gcc|g\+\+|cc|clang|cmake|make|rustc|cargo|pkg-config|gfortran)['"`]?:? (?:.{0,80})?(?:not found|No such file)|unable to find (?:.{0,20})compiler|Python\.h: No such file|error: command '.*(?:gcc|cc|g\+\+)' failed|gyp ERR!|Microsoft Visual C\+\+/i,
    code: "package_needs_compiler",
    class: "user_code",
    message: () => "A package has to be compiled, and what that takes is not on this server.",
    hint: compilerHint,
  },
  {
    pattern:
      /Failed to (?:fetch|download)|error sending request|tcp connect error|dns error|timed? ?out|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|npm error network|dial tcp|connection refused|Bad Gateway|5\d\d (?:Internal|Service|Server|Gateway)|HTTP status server error|FETCH_ERROR|unexpected EOF/i,
    code: "index_unreachable",
    class: "infrastructure",
    message: () => "The package index did not answer as it should.",
  },
  {
    pattern: /EUSAGE|lock ?file|not in sync|missing go\.sum entry|Unable to find lockfile/i,
    code: "lock_outdated",
    class: "user_code",
    message: () => "The lock file does not fit the dependencies.",
  },
];

/** Why nothing came of a build, in the words of the product. */
export function diagnose(build: FailedBuild): EnvironmentError {
  const { phase, log } = build;
  const explanation = explain(log);
  const make = (
    errorClass: EnvironmentError["class"],
    code: ErrorCode,
    facts: { message?: string; hint?: string } = {},
  ): EnvironmentError => {
    const { message, hint } = errorCatalog[code];
    return { class: errorClass, code, message: facts.message ?? message, hint: facts.hint ?? hint, phase, explanation };
  };
  const beyond = exceeded(build);
  if (beyond !== null) return make("limit", "environment_limit", beyond);
  const failed = build.connections.some(({ outcome, host, port }) => outcome === "failed" && build.index.includes(`${host}:${port}`));
  for (const sign of signs) {
    const found = sign.pattern.exec(log);
    if (found === null) continue;
    // A package whose page could not be fetched is not one that does not exist.
    if (failed && sign.class === "user_code" && phase !== "install") continue;
    return make(sign.class, sign.code, {
      message: sign.message(found.groups ?? {}),
      ...(sign.hint === undefined ? {} : { hint: sign.hint }),
    });
  }
  if (failed) return make("infrastructure", "index_unreachable");
  const refused = build.connections.find(({ outcome }) => outcome === "refused");
  if (refused !== undefined)
    return make("user_code", "environment_failed", {
      message: `A package wanted to reach ${refused.host} while it was installed; only the package index can be reached then.`,
      hint: "Use a package that brings what it needs with it.",
    });
  return make("user_code", "environment_failed");
}

function exceeded({ exit, limits, phase }: FailedBuild): { message: string; hint: string } | null {
  const hint = (option: string) => `Ask for fewer or smaller packages, or ask an administrator to raise ${option}.`;
  const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;
  if (exit.reason === "timeout") {
    const limit = `Building took longer than its limit of ${limits.wallMs / 1000} s`;
    const message = phase === "resolve" || phase === "download" ? `${limit}, and still waited for the package index.` : `${limit}.`;
    return { message, hint: hint("SYLA_ENVIRONMENT_SECONDS") };
  }
  if (exit.outOfMemory)
    return {
      message: `Building needed more memory than its limit of ${mebibytes(limits.memoryBytes)}.`,
      hint: hint("SYLA_ENVIRONMENT_MEMORY"),
    };
  if (exit.reason === "disk")
    return { message: `Building wrote more than ${mebibytes(limits.diskBytes)}.`, hint: hint("SYLA_ENVIRONMENT_BYTES") };
  return null;
}

const maxExplanation = 4000;

/** The part of the log that says why: from the first line that speaks of an error. Null when none does. */
function explain(log: string): string | null {
  const lines = log.split("\n").filter((line) => !/^npm (?:warn|notice)|A complete log of this run|^\s*$/.test(line));
  const first = lines.findIndex((line) => /\b(?:error|ERR!|fatal|failed)\b|^go: |^  × /i.test(line));
  if (first < 0) return null;
  const text = lines.slice(first).join("\n");
  return text.length > maxExplanation ? `${text.slice(0, maxExplanation)}…` : text;
}
