import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import type { ProgramConfig } from "@syla/contracts/program-config";
import type { Run } from "@syla/contracts/runs";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible } from "./accessible.ts";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

describe.skipIf(noBrowser)("importing a program in the browser", () => {
  let web: WebTest;
  let git: TestGitServer;
  beforeAll(async () => {
    git = await startTestGitServer();
    web = await startWebTest({ SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await git?.[Symbol.asyncDispose]();
  });

  it("takes a folder, shows what is in it, and makes the program; again it shows the changes", async () => {
    using directory = createTemporaryDirectory();
    const folder = join(directory.path, "weather");
    mkdirSync(folder);
    writeFileSync(join(folder, "main.py"), "print('rain')\n");
    writeFileSync(join(folder, "requirements.txt"), "requests>=2\n");
    writeFileSync(join(folder, ".env"), "TOKEN=secret");
    const page = await web.openPage("/catalog");
    await page.getByRole("link", { name: "Import", exact: true }).first().click(); // the empty catalog offers it a second time
    await page.getByRole("heading", { name: "Import a program" }).waitFor();
    await page.getByLabel("A folder").setInputFiles(folder);
    await page.getByLabel("Name", { exact: true }).waitFor();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("weather");
    expect(await page.getByLabel("Entrypoint").inputValue()).toBe("main.py");
    expect(await page.getByLabel("Take .env").isChecked()).toBe(false);
    await page.getByRole("radio", { name: /^requirements\.txt requests>=2/ }).waitFor();
    await expectAccessible(page, "Review of an import");
    // The review is in the address, so it outlives a reload.
    await page.reload();
    await page.getByRole("button", { name: "Create the program" }).click();
    await page.waitForURL(/\/programs\/prog_/);
    await page.getByRole("heading", { name: "weather" }).waitFor();

    writeFileSync(join(folder, "main.py"), "print('sun')\n");
    await page.getByRole("link", { name: "Import again" }).click();
    await page.getByLabel("A folder").setInputFiles(folder);
    await page.getByRole("heading", { name: "Changes" }).waitFor();
    const changes = page.locator("section", { hasText: "Changes" }).first();
    await expect.poll(async () => await changes.innerText(), { timeout: 10_000 }).toMatch(/main\.py\s+changed/);
    await page.getByRole("button", { name: "Replace the files" }).click();
    await page.waitForURL(/\/programs\/prog_[0-9a-z]+$/);
  });

  it("replaces nothing that was changed meanwhile: it says so, shows what changes now, and replaces that", async () => {
    const page = await web.openPage("/");
    const send = async (path: string, body: object, headers: Record<string, string> = {}) => {
      const answer = await web.server.send("POST", path, body, headers);
      expect(answer.status).toBeLessThan(300);
      return (await answer.json()) as Asset;
    };
    const main = (content: string) => ({ path: "main.py", content });
    const program = await send("/api/v1/assets", { type: "program", name: "Shared", files: [main("print('old')\n")] });
    const source = { kind: "files", files: [main("print('new')\n")] };
    const begun = await send("/api/v1/imports", { source, assetId: program.id });
    await page.goto(`/programs/new?import=${begun.id}`);
    const changes = page.locator("section", { hasText: "Changes" }).first();
    await changes.getByText("0 new, 1 changed, 0 removed").waitFor();
    const file = { path: "important.py", content: "print('important')\n" };
    await send(`/api/v1/programs/${program.id}/files`, { changes: [{ op: "write", file }] }, { "if-match": "*" });
    await page.getByRole("button", { name: "Replace the files" }).click();
    await page.getByText("The program has been changed since the import was held against it. Nothing was replaced.").waitFor();
    await changes.getByText("0 new, 1 changed, 1 removed").waitFor();
    await expect.poll(async () => await changes.innerText(), { timeout: 10_000 }).toMatch(/important\.py\s+removed/);
    await page.getByRole("button", { name: "Replace the files" }).click();
    await page.waitForURL(/\/programs\/prog_[0-9a-z]+$/);
  });

  it("shows imports whose review was closed, to go on with or to give up", async () => {
    const page = await web.openPage("/");
    const ids: string[] = [];
    for (const name of ["first", "second"]) {
      const source = { kind: "files", files: [{ path: `${name}/main.py`, content: "print(1)\n" }] };
      const begun = (await (await web.server.send("POST", "/api/v1/imports", { source })).json()) as { id: string };
      const state = async () => ((await (await web.server.fetch(`/api/v1/imports/${begun.id}`)).json()) as { state: string }).state;
      await expect.poll(state, { timeout: 30_000 }).toBe("review");
      ids.push(begun.id);
    }
    await page.goto("/programs/new");
    const waiting = page.locator("section", { hasText: "Imports that wait" });
    await waiting.getByRole("link", { name: "first" }).waitFor();
    await expectAccessible(page, "Imports that wait");
    await waiting.getByRole("link", { name: "second" }).focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // gives it up
    await waiting.getByRole("link", { name: "second" }).waitFor({ state: "detached" });
    await waiting.getByRole("link", { name: "first" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Create the program" }).waitFor();
    expect(new URL(page.url()).search).toBe(`?import=${ids[0]}`);
    await page.getByRole("button", { name: "Give up" }).click();
    await page.getByText("You gave this import up.").waitFor();
    const listed = page.waitForResponse(/\/imports\?.*state=review/);
    await page.goto("/programs/new");
    expect(await (await listed).json()).toMatchObject({ items: [] });
    await page.getByRole("heading", { name: "Import a program" }).waitFor();
    expect(await waiting.count()).toBe(0);
  });

  it("says that the entrypoint looks secret, and which packages were guessed", async () => {
    using directory = createTemporaryDirectory();
    const folder = join(directory.path, "guessed");
    mkdirSync(folder);
    writeFileSync(join(folder, "main.py"), `import yaml\nkey = "sk-proj-${"aB3dE5fG7h".repeat(5)}"\n`);
    const page = await web.openPage("/programs/new");
    await page.getByLabel("A folder").setInputFiles(folder);
    await page.getByText("is left out because it looks secret (line 2), so nothing could be run.").waitFor();
    await page.getByRole("note").filter({ hasText: "Guessed from what is imported: PyYAML." }).waitFor();
    expect(await page.getByRole("radio", { name: /^Named by hand/ }).isChecked()).toBe(true);
    await page.getByRole("button", { name: "Take it", exact: true }).click();
    await page.getByText("so nothing could be run").waitFor({ state: "detached" });
    expect(await page.getByLabel("Take main.py").isChecked()).toBe(true);
    await page.getByRole("radio", { name: /^None/ }).check();
    await page.getByRole("button", { name: "Create the program" }).click();
    await page.waitForURL(/\/programs\/prog_/);
  });

  it("takes an archive to a program that runs: looked at, warned about, chosen from, made, its slots beside its code", async () => {
    using directory = createTemporaryDirectory();
    const file = join(directory.path, "desk.zip");
    const files = {
      "desk/main.py": "import os, sys\nfrom slots import title\n\nprint('sorted', sys.argv[1], len(os.environ['DESK_KEY']))\n",
      "desk/slots.py": [
        "try:",
        "    from mellea import generative",
        "except ImportError:",
        "    generative = lambda function: function",
        "",
        "",
        "@generative",
        "def title(text: str, words: int = 5) -> str:",
        '    """A title for a letter.',
        "",
        "    Args:",
        "        text: The letter.",
        '    """',
        "",
      ].join("\n"),
      "desk/broken.py": "x = (\n",
      "desk/.env": "TOKEN=not-a-real-one",
      "other/notes.txt": "beside it",
    };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(directory.path, name, ".."), { recursive: true });
      writeFileSync(join(directory.path, name), content);
    }
    execFileSync("/usr/bin/python3", ["-m", "zipfile", "-c", file, "desk", "other"], { cwd: directory.path });
    const page = await web.openPage("/programs/new");
    await page.getByLabel("Files", { exact: true }).setInputFiles(file);
    // Two folders came in; one of them is the program.
    await page.getByLabel("Folder", { exact: true }).selectOption("desk");
    await page.getByRole("button", { name: "Take this folder" }).click();
    await page.getByText("1 file left out").waitFor();
    expect(await page.getByLabel("Take .env").isChecked()).toBe(false);
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("desk");
    expect(await page.getByLabel("Entrypoint", { exact: true }).inputValue()).toBe("main.py");
    const problems = page.locator("section", { has: page.getByRole("heading", { name: "Problems" }) });
    expect(await problems.innerText()).toContain("broken.py:1:5");
    await page.getByRole("button", { name: /^title\(text, words\)/ }).click();
    await page.getByText("The letter.").waitFor();
    await page.getByRole("radio", { name: /^Named by hand/ }).check();
    await page.getByRole("radio", { name: /^None/ }).check();
    await expectAccessible(page, "Review of an archive");
    await page.getByRole("button", { name: "Create the program" }).click();
    await page.waitForURL(/\/programs\/prog_/);
    await page.getByRole("link", { name: "title", exact: true }).click();

    // Beside the code: a click on a finding goes to its line, which is marked.
    const aside = page.getByRole("complementary", { name: "Slots and calls" });
    await aside.getByRole("button", { name: /^title\(text, words\)/ }).click();
    await page.locator(".code-mark-slot").waitFor();
    expect(new URL(page.url()).search).toContain("file=slots.py&line=8");
    await aside.getByRole("button", { name: /^Problems/ }).click();
    await aside.getByRole("button", { name: /broken\.py:1/ }).click();
    await page.locator(".code-mark-error").waitFor();
    await expectAccessible(page, "Slots and calls beside the code");
    await page.reload();
    await page.locator(".code-mark-error").waitFor();

    // What it needs: a secret for the variable that it reads, and packages that are named by hand.
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const configOf = async () => ((await (await web.server.fetch(`/api/v1/assets/${id}`)).json()) as Asset).config as ProgramConfig;
    await web.server.send("POST", "/api/v1/credentials", { kind: "program", name: "Key of the desk", value: "a-key-of-twenty-char" });
    await page.getByRole("link", { name: "Secrets", exact: true }).click();
    await page.getByText("The program ends without it.").waitFor();
    await page.getByLabel("Secret of DESK_KEY").selectOption({ label: "Key of the desk" });
    await page.getByLabel("Who gets DESK_KEY").selectOption("editors");
    await expectAccessible(page, "Secrets of a program");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(async () => (await configOf()).secrets).toMatchObject([{ variable: "DESK_KEY", givenTo: "editors" }]);
    await page.getByRole("link", { name: "Dependencies", exact: true }).click();
    await page.getByRole("radio", { name: /^Named by hand/ }).check();
    await page.getByRole("button", { name: "Add a package" }).click();
    await page.getByLabel("Package 1", { exact: true }).fill("-no-name");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    // Bad input is told at its place, by what would install it.
    await page.getByText("config.dependencies.packages.0.name", { exact: true }).waitFor();
    await expectAccessible(page, "Dependencies of a program");
    await page.getByRole("radio", { name: /^None/ }).check();
    await page.getByRole("button", { name: "Save and publish …" }).click();
    await page.getByRole("dialog", { name: "Publish a version" }).getByRole("button", { name: "Publish" }).click();
    await expect.poll(async () => (await configOf()).dependencies.source).toBe("none");
    await page.getByRole("dialog").waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Run", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Run desk" });
    await dialog.getByLabel("Arguments").fill("letters");
    await dialog.getByLabel("Resources").selectOption("medium");
    await dialog.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL(/\/runs\/run_/);
    await page.getByText("sorted letters 20").first().waitFor();
    const runId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const run = (await (await web.server.fetch(`/api/v1/runs/${runId}`)).json()) as Run;
    expect(run.requestedLimits).toMatchObject({ cpus: 1 });
    await page.goBack();
    await page.getByRole("link", { name: "Runs", exact: true }).last().click();
    await page.getByText("Ada Lovelace").first().waitFor();
    expect(web.problems).toEqual([]);
  }, 120_000);
  it("reads a private repository with a credential that is stored on the way, and again without being asked", async () => {
    git.create("private", [{ files: { "main.py": "print('private')" } }]);
    git.behaviour.token = "token-for-the-browser";
    const page = await web.openPage("/programs/new?source=git");
    await page.getByLabel("Address").fill(`${git.url}/private.git`);
    await page.getByRole("button", { name: "Find branches" }).click();
    await page.getByText("git_not_found").waitFor();
    await page.getByRole("button", { name: "New", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("the git server");
    await dialog.getByLabel("Host").fill(git.url);
    await dialog.getByLabel("Secret").fill("token-for-the-browser");
    await dialog.getByRole("button", { name: "Store secret" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Find branches" }).click();
    await page.getByRole("button", { name: "Fetch" }).click();
    await page.getByRole("button", { name: "Create the program" }).click();
    await page.waitForURL(/\/programs\/prog_/);
    await page.getByRole("link", { name: "Import again" }).click();
    // It begins with where the program came from, and what lets us in.
    expect(await page.getByLabel("Address").inputValue()).toBe(`${git.url}/private.git`);
    await page.getByRole("button", { name: "Find branches" }).click();
    expect(await page.getByLabel("Branch, tag or commit").inputValue()).toBe("main");
    await page.getByRole("button", { name: "Fetch" }).click();
    await page.getByRole("button", { name: "Replace the files" }).waitFor();
    await page.goto("/credentials");
    await page.getByText(`Git · ${git.url}`).waitFor();
    await page
      .getByText(/used by 1 thing · last used/)
      .first()
      .waitFor();
    expect(await page.content()).not.toContain("token-for-the-browser");
  });

  it("says what is wrong with a repository, and begins with a template", async () => {
    const page = await web.openPage("/programs/new?source=git");
    await page.getByLabel("Address").fill("file:///etc/passwd");
    await page.getByRole("button", { name: "Find branches" }).click();
    await page.getByText("This is no address of a git repository that can be read.").waitFor();
    await page.getByRole("link", { name: "Template" }).click();
    await page.getByRole("button", { name: /Generative slot.*needs a model/ }).click();
    await page.getByText("Their docstrings are the prompt.").waitFor();
    await page.reload(); // which template is in the address
    await page.getByText("Their docstrings are the prompt.").waitFor();
    await expectAccessible(page, "Choice of a template");
    await page.getByRole("button", { name: "Use this template" }).click();
    await page.getByText("There is no model yet that you may use.").waitFor();
    await page.getByRole("button", { name: "Create the program" }).click();
    await page.waitForURL(/\/programs\/prog_/);
  });
});
