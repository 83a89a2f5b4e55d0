import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

let server: TestServer;
let home: string;
let ann: { authorization: string };
let bob: { authorization: string };

beforeAll(async () => {
  server = await startTestServer();
  home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
  ann = await createPerson(server);
  bob = await createPerson(server);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const syla = (person: { authorization: string }, args: string[], more: { stdin?: string } = {}) =>
  runCli(args, {
    env: { SYLA_URL: server.url, SYLA_API_KEY: person.authorization.slice("Bearer ".length), SYLA_HOME: home },
    ...more,
  });
const composition = (person: { authorization: string }, ...args: string[]) => syla(person, ["composition", ...args]);
const read = (file: string) => JSON.parse(readFileSync(file, "utf8")) as { nodes: { label: string }[] };

const echo = {
  format: 1,
  name: "Echo",
  nodes: [
    { id: "in", kind: "input", config: { name: "text", type: "str" } },
    { id: "out", kind: "output", config: { name: "text", type: "str" } },
  ],
  edges: [{ id: "e", from: { node: "in", port: "value" }, to: { node: "out", port: "value" } }],
};

describe("syla composition", () => {
  test("begins with a template, lists, shows and prints its Python", async () => {
    const templates = (await syla(ann, ["template", "list"])).stdout;
    expect(templates).toContain("composition\ttemplate:composition-repair\t");
    expect((await syla(ann, ["program", "templates"])).stdout).not.toContain("composition-");
    const made = await composition(ann, "create", "Mending", "--template", "template:composition-repair", "-d", "Mends", "-t", "mail");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const id = made.stdout.trim();
    expect((await composition(ann, "list")).stdout).toContain(`${id}\tmending\tMending\t-\t`);
    expect((await composition(ann, "list", "--search", "mends")).stdout).toContain(id);
    expect((await composition(bob, "list", "--all")).stdout).not.toContain(id);
    const shown = (await composition(ann, "show", "mending")).stdout;
    expect(shown).toMatch(/inputs\s+notes: str/);
    expect(shown).toMatch(/tags\s+mail/);
    expect(JSON.parse((await composition(ann, "show", "Mending", "--json")).stdout)).toMatchObject({
      id,
      problems: [],
      config: { problems: 0 },
    });
    expect((await composition(ann, "show", "mending", "--code")).stdout).toContain("def write_the_mail(");
    expect((await composition(ann, "publish", "mending")).stdout.trim()).toBe("0.1.0");
    expect((await composition(bob, "show", id)).code).toBe(66);
  });

  test("refuses to unpack the template of a composition as a program", async () => {
    const { code, stderr } = await syla(ann, ["template", "use", "composition-repair", temporaryFolder()]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("syla composition create --template composition-repair");
  });

  test("pulls a graph into a file, pushes what was changed, and says what differs", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "echo.json");
    const id = (await syla(ann, ["composition", "import", "-", "--name", "Pulled"], { stdin: JSON.stringify(echo) })).stdout.trim();
    expect((await composition(ann, "pull", id, "-o", file)).stdout).toMatch(/^Revision \d+\.\n$/);
    expect((await composition(ann, "pull", "-o", file)).stdout).toBe("Nothing differs.\n");
    expect((await composition(ann, "push", "-o", file)).stdout).toBe("Nothing differs.\n");
    await composition(ann, "publish", id);
    const graph = read(file);
    const [first] = graph.nodes;
    writeFileSync(file, JSON.stringify({ ...graph, nodes: [{ ...first, label: "Changed" }, ...graph.nodes.slice(1)] }));
    expect((await composition(ann, "pull", "-o", file)).code).toBe(73);
    const pushed = await composition(ann, "push", "-o", file);
    expect(pushed.stdout).toMatch(/^Revision \d+\.\n$/);
    expect((await composition(ann, "diff", id)).stdout).toMatch(/^~ n[0-9a-f]{16} {2}label\n$/);
    expect(JSON.parse((await composition(ann, "diff", id, "--json")).stdout)).toMatchObject({ from: "0.1.0", to: "head" });

    // Somebody else changes it meanwhile.
    const other = join(folder, "other.json");
    await composition(ann, "pull", id, "-o", other);
    writeFileSync(other, JSON.stringify({ ...read(other), description: "Theirs" }));
    expect((await composition(ann, "push", "-o", other)).code).toBe(0);
    writeFileSync(file, JSON.stringify({ ...read(file), description: "Mine" }));
    const refused = await composition(ann, "push", "-o", file);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("The composition has been changed since it was pulled");
    expect((await composition(ann, "push", "-o", file, "--force")).code).toBe(0);
    await composition(ann, "pull", "-o", other);
    expect(read(other)).toMatchObject({ description: "Mine" });
    await composition(ann, "pull", "-o", other, "--at", "0.1.0", "--force");
    expect(read(other).nodes[0]?.label).toBe("");
  });

  test("pushes no file that belongs to nothing, and none that is no graph", async () => {
    const file = join(temporaryFolder(), "composition.json");
    writeFileSync(file, JSON.stringify(echo));
    const id = (await composition(ann, "create", "Empty")).stdout.trim();
    expect((await composition(ann, "push", "-o", file)).code).toBe(64);
    expect((await composition(ann, "push", id, "-o", file)).stderr).toContain("--force");
    writeFileSync(file, "{}");
    const refused = await composition(ann, "push", id, "-o", file, "--force");
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("not the graph of a composition");
  });

  test("gives a composition away without secrets, and says what is not there where it arrives", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "given.json");
    const tool = await server.send(
      "POST",
      "/api/v1/assets",
      { type: "program", name: "Tool", files: [{ path: "main.py", content: "1" }] },
      ann,
    );
    const { id: program } = (await tool.json()) as { id: string };
    const secret = {
      ...echo,
      nodes: [
        ...echo.nodes,
        {
          id: "h",
          kind: "http",
          config: { url: "https://a.example/", headers: { Authorization: "Bearer planted-secret-word" }, allowedHosts: ["a.example"] },
        },
        { id: "p", kind: "program", config: { program: { id: program }, command: ["python3", "main.py"] } },
      ],
    };
    const made = await syla(ann, ["composition", "import", "-", "--name", "Secretive"], { stdin: JSON.stringify(secret) });
    expect(made.stderr).toBe("");
    const exported = await composition(ann, "export", "secretive", "-o", file);
    expect(exported.stdout.trim()).toBe(file);
    expect(exported.stderr).toContain("config.headers.Authorization");
    expect(readFileSync(file, "utf8")).not.toContain("planted");
    const arrived = await composition(bob, "import", file);
    expect(arrived.stderr).toContain(`The program “Tool” (${program}) is not here`);
    expect((await composition(bob, "show", arrived.stdout.trim())).stdout).toMatch(/name\s+Secretive/);
    expect((await composition(ann, "export", "secretive", "-o", file)).code).toBe(73);

    // What is used is not thrown away without a word.
    const deleted = await syla(ann, ["program", "delete", program]);
    expect(deleted.stderr).toContain("Tool is used by a composition: Secretive.");
    expect(deleted.code).toBe(0);
    expect((await composition(ann, "show", "secretive")).stdout).toContain("reference_deleted");
  });
});
