import type { RunInputDraft } from "@syla/contracts/runs";

/** Lines that a long program prints. */
const longLines = 60;

/** Tells the counter outside, through the run's proxy, and waits until it has heard. */
const say = `say() {
  exec 3<>/dev/tcp/127.0.0.1/3128 || return
  printf 'GET http://%s/%s/%s HTTP/1.0\\r\\n\\r\\n' "$2" "$1" "$3" >&3
  cat <&3 >/dev/null
  exec 3<&-
}`;
const bash = (between: string) => `${say}
say began "$1" "$2"
echo "began $2"
${between}
say done "$1" "$2"
echo "done $2"`;

/** What a program is for: it prints and does the same whenever it is run whole. */
export interface Program {
  readonly language: string;
  readonly code: string;
  /** It tells the counter outside. */
  readonly isCounted: boolean;
  /** All that it prints. */
  readonly prints: (token: string) => string;
  readonly artifact?: true;
}

const around = (between: string) => (token: string) => `began ${token}\n${between}done ${token}\n`;
const numbered = Array.from({ length: longLines }, (_, index) => `line ${index + 1}\n`).join("");

export const programs = {
  short: { language: "bash", code: bash(":"), isCounted: true, prints: around("") },
  resting: { language: "bash", code: bash("sleep 0.3"), isCounted: true, prints: around("") },
  long: {
    language: "bash",
    code: bash(`number=0
while [ $number -lt ${longLines} ]; do number=$((number + 1)); echo "line $number"; sleep 0.02; done`),
    isCounted: true,
    prints: around(numbered),
  },
  artifact: { language: "bash", code: bash('echo "$2" > /output/token'), isCounted: true, prints: around(""), artifact: true },
  endless: { language: "bash", code: `${say}\nsay began "$1" "$2"\nexec sleep 300`, isCounted: true, prints: () => "" },
  python: {
    language: "python",
    code: 'import sys\nprint("began", sys.argv[2])\nprint("done", sys.argv[2])',
    isCounted: false,
    prints: around(""),
  },
  node: {
    language: "node",
    code: "const [, , , token] = process.argv;\nconsole.log(`began ${token}`);\nconsole.log(`done ${token}`);",
    isCounted: false,
    prints: around(""),
  },
} as const satisfies Readonly<Record<string, Program>>;

/** A run of it, which reports to `address` under its token. */
export function inputOf({ language, code, isCounted }: Program, address: string, token: string): RunInputDraft {
  return { language, code, args: [address, token], ...(isCounted ? { network: { allow: [address] } } : {}) };
}
