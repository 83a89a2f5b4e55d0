import { RunInput } from "@syla/contracts/runs";
import type { Runtime } from "@syla/sdk";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Draft } from "../src/runs/new/draft.ts";
import type * as drafts from "../src/runs/new/draft.ts";

// The client takes its address from the page.
vi.stubGlobal("document", { baseURI: "http://127.0.0.1/" });
let module: typeof drafts;
beforeAll(async () => {
  module = await import("../src/runs/new/draft.ts");
});

const runtime = (name: string): Runtime => ({
  name,
  title: name,
  aliases: [],
  extensions: [`.${name}`],
  defaultEntrypoint: `main.${name}`,
  version: "1",
  versions: ["1", "0.9"],
  compiled: false,
  available: true,
  pooling: "cold",
  install: null,
  packages: null,
  example: `example of ${name}`,
});
const runtimes = [runtime("python"), runtime("bash")];
const draft = (changes: Partial<Draft> = {}): Draft => ({ ...module.newDraft(runtimes[0] as Runtime), ...changes });

describe("a draft", () => {
  it("is sent in the form of the contract", () => {
    const input = module.draftInput(
      draft({
        code: "print()",
        entrypoint: " app.py ",
        stdin: "in",
        args: "one two\nthree\n",
        env: "A=1\n# no\nB=x=y\n",
        limits: { wallMs: "2.5", memoryBytes: "64", cpus: "0.5" },
        files: [{ path: "a.txt", size: 1, sha256: "0".repeat(64) }],
      }),
    );
    expect(RunInput.parse(input)).toMatchObject({
      entrypoint: "app.py",
      args: ["one two", "three"],
      env: { A: "1", B: "x=y" },
      limits: { wallMs: 2500, memoryBytes: 64 * 1024 * 1024, cpus: 0.5 },
      files: [{ path: "a.txt", blob: "0".repeat(64) }],
    });
  });

  it("carries the network that was chosen, and says what is wrong with its hosts", () => {
    const hosts = draft({ network: "hosts", hosts: " pypi.org \n\n*.pythonhosted.org\n" });
    expect(RunInput.parse(module.draftInput(hosts)).network).toEqual({ allow: ["pypi.org", "*.pythonhosted.org"] });
    expect(module.draftProblems(hosts)).toEqual({});
    expect(module.draftInput(draft({ network: "full", hosts: "kept.org" })).network).toBe("full");
    expect(module.draftProblems(draft({ network: "hosts" }))).toEqual({ network: "Name at least one host." });
    expect(module.draftProblems(draft({ network: "hosts", hosts: "a.org\nhttps://b.org" }))).toEqual({
      network: "Line 2 is not a host, *.host or address: https://b.org",
    });
    const many = Array.from({ length: 101 }, (_, index) => `h${index}.org`).join("\n");
    expect(module.draftProblems(draft({ network: "hosts", hosts: many }))).toEqual({ network: "There are 101 hosts; 100 are the most." });
    expect(module.draftProblems(draft({ network: "none", hosts: "not a host" }))).toEqual({});
  });

  it("leaves out what is empty", () => {
    expect(module.draftInput(draft())).toEqual({ language: "python", code: "example of python", files: [], args: [], env: {}, limits: {} });
  });

  it("says what is wrong, and where", () => {
    expect(module.draftProblems(draft({ env: "GOOD=1\n2BAD=x", limits: { wallMs: "-1", cpus: "many", processes: " " } }))).toEqual({
      env: "Line 2 is not of the form NAME=value: 2BAD=x",
      wallMs: "Time must be a number above 0.",
      cpus: "CPU must be a number above 0.",
    });
  });

  it("takes the new language's example only in place of the old one", () => {
    expect(module.changeLanguage(draft(), runtimes, "bash").code).toBe("example of bash");
    expect(module.changeLanguage(draft({ code: "mine" }), runtimes, "bash")).toMatchObject({ language: "bash", code: "mine" });
    expect(module.changeLanguage(draft(), runtimes, "cobol").language).toBe("python");
  });
});
