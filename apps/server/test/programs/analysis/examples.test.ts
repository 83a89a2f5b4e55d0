import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { analyse, importAllForReal, type Tree } from "./analyse-here.ts";
import { findWrong } from "./compare-slots.ts";

/** A folder as programs of this kind are laid out: a package, examples below `docs`, a server, a notebook, and parts in other languages. */

const folder = join(import.meta.dirname, "fixtures/examples");
const paths = globSync("**/*", { cwd: folder }).filter((path) => statSync(join(folder, path)).isFile());
const tree: Tree = Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path))]));
const found = analyse(tree);

describe("a folder of examples", () => {
  it("has these slots, and each that is callable is one for Python", () => {
    expect(found.slots.map(({ qualifiedName, kind, reasonCode }) => `${qualifiedName} ${kind} ${reasonCode ?? "callable"}`)).toEqual([
      "letters.title function notebook",
      "101_first_slot.translate function callable",
      "102_methods.Reviewer.review function unbound_self",
      "102_methods.Reviewer.grade function callable",
      "102_methods.make.<locals>.inner function nested",
      "letter_desk.slots.classify_letter function broken_file",
      "letter_desk.slots.draft_answer async broken_file",
      "letter_desk.slots.summarize function reserved_argument",
    ]);
    const { "letter_desk/slots.py": slots, ...rest } = tree;
    const repaired = { ...rest, "letter_desk/slots.py": String(slots).replace("context: str", "background: str") };
    const again = analyse(repaired);
    expect(again.slots.filter(({ callable }) => callable).map(({ name }) => name)).toEqual([
      "translate",
      "grade",
      "classify_letter",
      "draft_answer",
      "summarize",
    ]);
    // Python imports the ones that need nothing but the library.
    const alone = {
      "101.py": rest["docs/examples/tutorial/101_first_slot.py"] ?? "",
      "102.py": rest["docs/examples/tutorial/102_methods.py"] ?? "",
    };
    const [real = []] = importAllForReal([alone]);
    expect(findWrong(analyse(alone), real)).toEqual([]);
  });

  it("has arguments as they are written, with what the docstring says of them", () => {
    const [classify, draft] = found.slots.filter(({ file }) => file === "letter_desk/slots.py");
    expect(classify).toMatchObject({
      returns: 'Literal["complaint", "order", "question", "other"]',
      module: "letter_desk.slots",
      line: 21,
    });
    expect(classify?.arguments).toEqual([
      {
        name: "letter",
        kind: "positional-or-keyword",
        type: "str",
        default: null,
        required: true,
        description: "The whole text, without the address.",
      },
      {
        name: "language",
        kind: "keyword-only",
        type: "str",
        default: '"en"',
        required: false,
        description: "The language in which it is written, as an ISO 639-1 code.",
      },
    ]);
    expect(draft?.arguments.map(({ type, default: value, description }) => [type, value, description])).toEqual([
      ["str", null, "The letter to answer."],
      ["str", null, "What `classify_letter` said of it."],
      ["date | None", "None", null],
      ['Literal["formal", "warm"]', '"formal"', "How it should sound."],
    ]);
  });

  it("uses the library here, with these models, requirements and strategies", () => {
    const calls = found.calls.map(({ file, line, name, within, backend, modelId, certain }) => [
      `${file.split("/").at(-1) ?? ""}:${line}`,
      name,
      within,
      backend,
      modelId,
      certain,
    ]);
    expect(calls).toEqual([
      ["chat_server.py:6", "start_session", null, "ollama", null, true],
      ["chat_server.py:10", "instruct", "serve", "ollama", null, true],
      ["letters.ipynb:3", "start_session", null, "ollama", null, true],
      ["letters.ipynb:5", "instruct", null, "ollama", null, true],
      ["101_first_slot.py:22", "translate", null, null, null, true],
      ["101_first_slot.py:22", "start_session", null, "ollama", null, true],
      ["cli.py:11", "classify_letter", "main", null, null, true],
      ["cli.py:12", "chat", "main", "openai", "IBM_GRANITE_4_MICRO_3B", true],
      ["cli.py:13", "validate", "main", "openai", "IBM_GRANITE_4_MICRO_3B", true],
      ["cli.py:14", "instruct", "main", null, null, true],
      ["desk.py:10", "req", null, null, null, true],
      ["desk.py:10", "simple_validate", null, null, null, true],
      ["desk.py:13", "mify", null, null, null, true],
      ["desk.py:22", "MelleaSession", "Desk.__init__", "ollama", "granite4:micro", true],
      ["desk.py:22", "OllamaModelBackend", "Desk.__init__", "ollama", "granite4:micro", true],
      ["desk.py:26", "instruct", "Desk.improve", "ollama", "granite4:micro", true],
      ["desk.py:29", "check", "Desk.improve", null, null, true],
      ["desk.py:30", "RejectionSamplingStrategy", "Desk.improve", null, null, true],
      ["desk.py:35", "aquery", "Desk.ask", "ollama", "granite4:micro", true],
      ["desk.py:39", "start_session", "open_session", "openai", "IBM_GRANITE_4_MICRO_3B", true],
      ["desk.py:43", "instruct", "greet", null, null, false],
    ]);
    expect(found.calls.find(({ within }) => within === "Desk.improve")).toMatchObject({
      text: "Make this friendlier: {{text}}",
      requirements: ["short", "No promises.", "Write in the language of the letter."],
      strategy: "RejectionSamplingStrategy",
    });
  });

  it("is started in these ways, the likeliest first", () => {
    expect(found.entrypoints.map(({ kind, target, confidence }) => `${kind} ${target ?? ""} ${confidence}`)).toEqual(
      [
        "script letter_desk.cli:main 0.95",
        "node_bin bin/letters.js 0.9",
        "node_script node server.js 0.9",
        "main_guard letter_desk/cli.py 0.85",
        "go_main ./relay 0.8",
        "mellea_serve docs/examples/m_serve/chat_server.py 0.45",
        "inline_script docs/examples/tutorial/101_first_slot.py 0.45",
        "notebook docs/examples/notebooks/letters.ipynb 0.5",
      ].toSorted((a, b) => Number(b.split(" ").at(-1)) - Number(a.split(" ").at(-1))),
    );
  });

  it("needs this, from these files", () => {
    const told = found.dependencies.map(({ source, name, constraint, group }) => [source, name, constraint, group].join(" ").trim());
    expect(told).toEqual([
      "requirements uvicorn ==0.35.0",
      "inline mellea ==0.8.*",
      "pyproject mellea >=0.8,<0.9",
      "pyproject pydantic >=2",
      "pyproject tomli >=2",
      "pyproject docling >=2.45 pdf",
      "pyproject pytest >=8 dev",
      "pyproject ruff  dev",
      "go.mod golang.org/x/net v0.40.0",
      "go.mod golang.org/x/text v0.25.0 indirect",
      "requirements fastapi >=0.115",
      "package.json fastify ^5.0.0",
      "package.json typescript 5.9.3 dev",
      "notebook mellea",
      "notebook pandas",
    ]);
    expect(found.dependencies.find(({ name }) => name === "uvicorn")).toMatchObject({
      extras: ["standard"],
      marker: 'sys_platform == "linux"',
      hashes: 1,
    });
    expect(found.dependencies.find(({ name }) => name === "golang.org/x/net")).toMatchObject({ url: "../third_party/net" });
    expect(found.pythonVersions.map(({ constraint, file }) => `${constraint} ${file}`)).toEqual([
      ">=3.12 docs/examples/tutorial/101_first_slot.py",
      ">=3.11 pyproject.toml",
    ]);
    expect(found.problems.map(({ code, file, line }) => `${code} ${file ?? ""}:${line ?? ""}`)).toEqual([
      "broken_slot letter_desk/slots.py:52",
      "runs_code deploy/requirements.txt:3",
    ]);
  });
});
