import { FileInput, isFinal, LimitsInput, RunFilter, RunInput, runStatuses } from "@syla/contracts/runs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const sha256 = "a".repeat(64);

/** Where a value was refused, as dotted paths. */
function refusedAt(input: unknown): string[] {
  const result = RunInput.safeParse(input);
  return result.success ? [] : result.error.issues.map((issue) => issue.path.join("."));
}

describe("RunInput", () => {
  it("fills in what is left out", () => {
    expect(RunInput.parse({ code: "print(1)" })).toEqual({
      code: "print(1)",
      files: [],
      args: [],
      env: {},
      limits: {},
      models: [],
      network: "none",
      priority: 5,
      cache: false,
    });
  });

  it.each<[string, unknown, string]>([
    ["a number", 1, ""],
    ["null", null, ""],
    ["a list", [], ""],
    ["an unknown field", { code: "", colour: "red" }, ""],
    ["code that is no text", { code: 1 }, "code"],
    ["an empty language", { language: "" }, "language"],
    ["an endless language", { language: "x".repeat(65) }, "language"],
    ["files that are no list", { files: {} }, "files"],
    ["too many files", { files: Array.from({ length: 10_001 }, () => ({ path: "a", content: "" })) }, "files"],
    ["a file without content", { files: [{ path: "a" }] }, "files.0"],
    ["a file with two contents", { files: [{ path: "a", content: "", blob: sha256 }] }, "files.0"],
    ["a file without path", { files: [{ path: "", content: "" }] }, "files.0.path"],
    ["a file that is no base64", { files: [{ path: "a", contentBase64: "%%%" }] }, "files.0.contentBase64"],
    ["a blob that is no SHA-256", { files: [{ path: "a", blob: sha256.toUpperCase() }] }, "files.0.blob"],
    ["an empty entrypoint", { entrypoint: "" }, "entrypoint"],
    ["stdin that is no base64", { stdinBase64: "a" }, "stdinBase64"],
    ["NUL in an argument", { args: ["a\0b"] }, "args.0"],
    ["an endless argument", { args: ["a".repeat(131_073)] }, "args.0"],
    ["too many arguments", { args: Array.from({ length: 1001 }, () => "") }, "args"],
    ["a variable with a bad name", { env: { "A-B": "1" } }, "env.A-B"],
    ["a variable that begins with a digit", { env: { "1A": "" } }, "env.1A"],
    ["NUL in a variable", { env: { A: "\0" } }, "env.A"],
    ["a variable that is no text", { env: { A: 1 } }, "env.A"],
    ["an unknown limit", { limits: { walls: 1 } }, "limits"],
    ["a limit of zero", { limits: { wallMs: 0 } }, "limits.wallMs"],
    ["half a process", { limits: { processes: 1.5 } }, "limits.processes"],
    ["memory as text", { limits: { memoryBytes: "512M" } }, "limits.memoryBytes"],
    ["more memory than there can be", { limits: { memoryBytes: 2 ** 40 } }, "limits.memoryBytes"],
    ["no number of CPUs", { limits: { cpus: Number.NaN } }, "limits.cpus"],
    ["an unknown tier", { tier: "docker" }, "tier"],
    ["an unknown network", { network: "some" }, "network"],
    ["a priority of ten", { priority: 10 }, "priority"],
  ])("refuses %s, and says where", (_name, input, path) => {
    expect(refusedAt(input)).toContain(path);
  });

  const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
  const file = fc.oneof(
    fc.record({ path: fc.string({ minLength: 1, maxLength: 100 }), content: fc.string({ unit: "binary" }) }),
    fc.record({ path: fc.string({ minLength: 1 }), contentBase64: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")) }),
    fc.record({
      path: fc.string({ minLength: 1 }),
      blob: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex")),
    }),
  );
  const runInput = fc.record(
    {
      language: fc.string({ minLength: 1, maxLength: 64 }),
      code: fc.string({ unit: "binary" }),
      files: fc.array(file, { maxLength: 5 }),
      args: fc.array(text, { maxLength: 5 }),
      env: fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/), text, { maxKeys: 5, noNullPrototype: true }),
      limits: fc.record(
        { wallMs: fc.integer({ min: 10, max: 86_400_000 }), cpus: fc.double({ min: 0.05, max: 4, noNaN: true }) },
        { requiredKeys: [] },
      ),
      priority: fc.integer({ min: 0, max: 9 }),
    },
    { requiredKeys: [] },
  );

  it("takes every input that keeps the rules, and loses nothing on the wire", () => {
    fc.assert(
      fc.property(runInput, (input) => {
        const parsed = RunInput.parse(input);
        expect(parsed).toMatchObject(input);
        expect(RunInput.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
      }),
    );
  });

  it("never throws anything but a refusal, whatever comes in", () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        expect(typeof RunInput.safeParse(input).success).toBe("boolean");
      }),
    );
  });

  it("refuses any argument or variable with NUL in it", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(refusedAt({ args: [`${before}\0${after}`], env: { A: `${before}\0${after}` } })).toEqual(["args.0", "env.A"]);
      }),
    );
  });
});

describe("FileInput", () => {
  it("takes text, base64 or the hash of an upload", () => {
    expect(FileInput.safeParse({ path: "a.py", content: "" }).success).toBe(true);
    expect(FileInput.safeParse({ path: "a.py", contentBase64: "AA==" }).success).toBe(true);
    expect(FileInput.safeParse({ path: "a.py", blob: sha256 }).success).toBe(true);
  });
});

describe("LimitsInput", () => {
  it("may name any of the limits, and none", () => {
    expect(LimitsInput.parse({})).toEqual({});
    expect(LimitsInput.parse({ wallMs: 10, openFiles: 16 })).toEqual({ wallMs: 10, openFiles: 16 });
  });
});

describe("RunFilter", () => {
  it("reads what a query string can hold", () => {
    expect(RunFilter.parse({ limit: "200" })).toEqual({ deadLetters: false, limit: 200, owner: "me" });
  });

  it.each([
    { limit: "0" },
    { limit: "201" },
    { limit: "ten" },
    { since: "yesterday" },
    { owner: "bob" },
    { kind: "job" },
    { q: "x".repeat(201) },
  ])("refuses %o", (query) => {
    expect(RunFilter.safeParse(query).success).toBe(false);
  });
});

it("knows which statuses are final", () => {
  expect(runStatuses.filter(isFinal)).toEqual(["succeeded", "failed", "cancelled", "timed_out"]);
});
