import { spawnSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { analyse, analyseFolder, loseReaders, writeTree } from "./analyse-here.ts";

describe("a tree", () => {
  it("may hold links, pipes and names that are no text: links are not followed, and no name gets lost", () => {
    using folder = createTemporaryDirectory();
    using outside = createTemporaryDirectory();
    writeTree(outside.path, { "secret.py": "x = (\n" });
    writeTree(folder.path, { "a/b.py": "x = 1\n", "line\nbreak.py": "x = (\n", "node_modules/c.py": "x = (\n" });
    symlinkSync("/etc/passwd", join(folder.path, "link.py"));
    symlinkSync(outside.path, join(folder.path, "a/out"));
    symlinkSync("..", join(folder.path, "a/loop"));
    writeFileSync(Buffer.from(`${folder.path}/bad\xff.py`, "latin1"), "x = (\n");
    expect(spawnSync("mkfifo", [join(folder.path, "pipe.py")]).status).toBe(0);
    const { files, problems } = analyseFolder(folder.path);
    expect(files).toMatchObject({ total: 3, python: 3 });
    expect(problems.map(({ code, file }) => `${code} ${file ?? ""}`).toSorted()).toEqual([
      "not_a_file pipe.py",
      "symlink a/loop",
      "symlink a/out",
      "symlink link.py",
      "syntax_error bad\\xff.py",
      "syntax_error line\nbreak.py",
    ]);
  });

  it("is told of within bounds, and how much was left out", () => {
    const many = Array.from({ length: 2500 }, (_, index) => `@generative\ndef f${index}(x: int) -> int: ...\n`).join("");
    const { slots, leftOut, dependencies, problems } = analyse({
      "many.py": `from mellea import generative\n${many}`,
      "requirements.txt": Array.from({ length: 3000 }, (_, index) => `package${index}\n`).join(""),
      "requirements-bad.txt": "$$$\n".repeat(1500),
    });
    expect([slots.length, leftOut.slots]).toEqual([2000, 500]);
    expect([dependencies.length, leftOut.dependencies]).toEqual([2000, 1000]);
    expect([problems.length, leftOut.problems > 400]).toEqual([1000, true]);
  });

  it("tells no secret, wherever it stands", () => {
    const token = `ghp_${"a1B2".repeat(9)}`;
    const key = `sk-proj-${"a1B2".repeat(9)}`;
    const password = "hunter2hunter2";
    const document = analyse({
      ".env": `OPENAI_API_KEY=${key}\n`,
      ".env.example": "OPENAI_API_KEY=\n",
      "config.py": `TOKEN = "${token}"\nMAIN = "sk-just-a-name-of-a-class"\n`,
      id_rsa: "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n",
      "server.pem": "",
      "credentials.json": "{}",
      "secrets.py": "import hashlib\n",
      "requirements.txt": `--extra-index-url https://me:${password}@pip.example.org/simple\nlib @ git+https://me:${password}@git.example.org/lib\n`,
      "pyproject.toml": `[project]\nname = "a"\ndependencies = ["lib @ https://me:${password}@example.org/lib.whl"]\n`,
      "package.json": `{"dependencies": {"lib": "git+https://me:${password}@git.example.org/lib.git"}}`,
      "aws.txt": "AKIAIOSFODNN7EXAMPLE\n",
      "readme.md": "postgres://user:password@localhost/db\n",
    });
    const text = JSON.stringify(document);
    for (const secret of [token, key, password, "AKIAIOSFODNN7EXAMPLE"]) expect(text).not.toContain(secret);
    expect(document.secrets.map(({ file, line, kind }) => `${file}:${line ?? ""} ${kind}`)).toEqual([
      ".env: env_file",
      ".env:1 openai_key",
      "aws.txt:1 aws_access_key",
      "config.py:1 github_token",
      "credentials.json: credentials_file",
      "id_rsa: key_file",
      "id_rsa:1 private_key",
      "package.json:1 url_credentials",
      "pyproject.toml:3 url_credentials",
      "requirements.txt:1 url_credentials",
      "requirements.txt:2 url_credentials",
      "server.pem: key_file",
    ]);
  });
});

describe("a reader that is lost", () => {
  it("takes only its own file along", () => {
    expect(loseReaders()).toEqual([
      ["good 1", true, null],
      ["killed 1", false, "crash"],
      ["killed 2", false, "crash"],
      ["good 2", true, null],
      ["hangs", false, "time"],
      ["large", false, "memory"],
      ["good 3", true, null],
      ["hangs", false, "time"],
      ["good", false, "deadline"],
    ]);
  });
});
