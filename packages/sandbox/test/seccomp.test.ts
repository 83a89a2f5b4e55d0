import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** The filter as a program: run in a small machine of classic BPF, for both processors, without touching a kernel. */

const agentFolder = fileURLToPath(new URL("../agent", import.meta.url));
const machine = String.raw`
import json, struct, sys
sys.path.insert(0, sys.argv[1])
import seccomp, syscalls

def decide(program, number, arch, arguments):
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *[(arguments + [0] * 6)[index] & 0xFFFFFFFFFFFFFFFF for index in range(6)])
    at = accumulator = steps = 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("<HBBI", program, 8 * at)
        at += 1
        steps += 1
        if code == 0x20: accumulator = struct.unpack_from("<I", data, operand)[0]
        elif code == 0x54: accumulator &= operand
        elif code == 0x15: at += if_true if accumulator == operand else if_false
        elif code == 0x25: at += if_true if accumulator > operand else if_false
        elif code == 0x35: at += if_true if accumulator >= operand else if_false
        elif code == 0x06: return operand
        else: raise SystemExit("unknown instruction %#x" % code)

answers = []
for machine, number, arch, arguments, denied in json.loads(sys.argv[2]):
    real, text = seccomp.ARCHES[machine]
    programs = [seccomp.build(machine, denied), seccomp.build_last(machine)]
    assert all(len(program) // 8 <= 4096 for program in programs)
    number = syscalls.parse(text)[number] if isinstance(number, str) else number
    decisions = [decide(program, number, real if arch is None else arch, arguments) for program in programs]
    answers.append(min(decisions, key=lambda decision: decision & 0x7fff0000))
print(json.dumps(answers))
`;

type Question = [machine: string, number: number | string, arch: number | null, args: number[], denied: string[]];
const [allow, eperm, enosys] = [0x7fff0000, 0x00050001, 0x00050026];

function ask(questions: Question[]): number[] {
  const child = spawnSync("python3", ["-B", "-c", machine, agentFolder, JSON.stringify(questions)]);
  expect(child.stderr.toString()).toBe("");
  return JSON.parse(child.stdout.toString()) as number[];
}

for (const name of ["x86_64", "aarch64"]) {
  const call = (number: number | string, ...args: number[]): Question => [name, number, null, args, []];
  const answers = (questions: Question[]) => [...new Set(ask(questions))];

  describe(`the filter on ${name}`, () => {
    test("lets ordinary calls through", () =>
      expect(
        answers([
          call("read"),
          call("openat"),
          call("execve"),
          call("futex"),
          call("kill"),
          call("clone", 0x3d0f00),
          call("clone", 17),
          call("mmap"),
        ]),
      ).toEqual([allow]));

    test("refuses namespaces in any clone flag", () => {
      const flags = [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
      expect(answers(flags.flatMap((flag) => [call("clone", flag), call("clone", flag | 17), call("clone", flag + 2 ** 32)]))).toEqual([
        eperm,
      ]);
      expect(answers([call("clone3")])).toEqual([enosys]);
    });

    test("refuses a thread with descriptors of its own", () =>
      expect(answers([call("clone", 0x10000), call("clone", 0x10900)])).toEqual([eperm]));

    test("sockets: three families, no exotic protocol", () => {
      expect(
        answers([call("socket", 1, 1, 0), call("socket", 2, 0x80001, 6), call("socket", 10, 2, 17), call("socketpair", 1, 1, 0)]),
      ).toEqual([allow]);
      expect(
        answers([
          call("socket", 16, 3, 0),
          call("socket", 17, 3, 0),
          call("socket", 40, 1, 0),
          call("socket", 38, 5, 0),
          call("socket", 2, 1, 132),
          call("socket", 2, 1, 262),
          call("socketpair", 30, 1, 0),
        ]),
      ).toEqual([eperm]);
      expect(answers([call("socket", 16 + 2 ** 32, 3, 0)])).toEqual([eperm]);
    });

    test("keeps hands off init", () => {
      expect(
        answers([
          call("prlimit64", 1),
          call("setpriority", 0, 1),
          call("setpriority", 2, 1000),
          call("sched_setaffinity", 1),
          call("sched_setscheduler", 1),
          call("ioprio_set", 1, 1),
          call("ioprio_set", 3, 1000),
        ]),
      ).toEqual([eperm]);
      expect(
        answers([
          call("prlimit64", 0),
          call("setpriority", 0, 0),
          call("sched_setaffinity", 0),
          call("sched_setaffinity", 77),
          call("ioprio_set", 1, 0),
        ]),
      ).toEqual([allow]);
    });

    test("terminal and inode ioctls, personality, dumpable", () => {
      expect(
        answers([
          call("ioctl", 0, 0x5412),
          call("ioctl", 0, 0x541c),
          call("ioctl", 0, 0x40086602),
          call("ioctl", 0, 0x5412 + 2 ** 32),
          call("personality", 0x40000),
        ]),
      ).toEqual([eperm]);
      expect(
        answers([
          call("ioctl", 0, 0x5401),
          call("personality", 0),
          call("personality", 0xffffffff),
          call("prctl", 15),
          call("prctl", 38, 1),
        ]),
      ).toEqual([allow]);
      expect(answers([call("prctl", 4, 0), call("prctl", 4, 1)])).toEqual([0x00050000]);
    });

    test("another architecture, x32 and numbers that are newer do not exist", () => {
      expect(
        answers([
          [name, "read", 0x40000003, [], []],
          [name, 20, 0x12345678, [], []],
          call(0x40000000),
          call(0x40000001),
          call(-1),
          call(463),
          call(500),
          call(100_000),
        ]),
      ).toEqual([enosys]);
    });

    test("what a tier denies on top is refused", () => {
      expect(
        ask([
          [name, "sched_setaffinity", null, [0], ["sched_setaffinity", "memfd_create"]],
          [name, "memfd_create", null, [], ["memfd_create"]],
          call("memfd_create"),
        ]),
      ).toEqual([eperm, eperm, allow]);
    });
  });
}

test("every number of the x86-64 list that is not on it is refused or does not exist", () => {
  const dangerous = [
    101, 154, 155, 161, 163, 164, 165, 166, 167, 169, 172, 173, 175, 176, 246, 248, 249, 250, 272, 298, 300, 304, 305, 308, 310, 311, 312,
    313, 320, 321, 323, 425, 426, 427, 428, 429, 430, 432, 433, 438, 440, 442, 443, 447,
  ];
  expect(new Set(ask(dangerous.map((number) => ["x86_64", number, null, [], []])))).toEqual(new Set([eperm]));
});
