/** Tests that may be skipped where everything is installed that `npm test` installs, and why. All others run there, or the run fails. */
export interface KnownSkip {
  /** Below the root of the repository. */
  readonly file: string;
  /** Of the full name; all of the file when left out. */
  readonly test?: RegExp;
  readonly reason: string;
}

const long = "takes too long for every day; SYLA_LONG_RUNS=1 runs it";
const root = "needs root";

export const knownSkips: readonly KnownSkip[] = [
  { file: "apps/server/test/gateway/mellea.test.ts", test: /litellm/, reason: long },
  { file: "apps/server/test/composition-runs/mellea.test.ts", reason: long },
  {
    file: "apps/server/test/runtimes/examples.test.ts",
    test: /^(java|rust) /,
    reason: "the language is large, and is tried where it is installed",
  },
  { file: "packages/flow/test/examples.test.ts", test: /as ruff does it/, reason: "needs ruff, which is tried where it is installed" },
  { file: "packages/sandbox/test/session.test.ts", test: /matplotlib|plot/, reason: "needs the system's own matplotlib" },
  { file: "apps/server/test/sandboxes/gvisor.test.ts", test: /where gVisor is not installed/, reason: "gVisor is installed" },
  {
    file: "packages/sandbox/test/kubernetes/podman.test.ts",
    reason: "needs podman and an image that takes minutes to make (deploy/images/build.sh python), and is tried where both are there",
  },
  { file: "apps/cli/test/launcher.test.ts", test: /root/, reason: root },
  { file: "apps/server/test/environments/faults.test.ts", test: /^a disk that fills up/, reason: root },
  {
    file: "apps/cli/test/runtimes-install.test.ts",
    test: /^up fetches uv once/,
    reason: "the machine has an uv of its own, which is taken",
  },
];

/** Why a test may be skipped; undefined when it may not. */
export function reasonToSkip(file: string, test: string): string | undefined {
  return knownSkips.find((known) => known.file === file && (known.test === undefined || known.test.test(test)))?.reason;
}
