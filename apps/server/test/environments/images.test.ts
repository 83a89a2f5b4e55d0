import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Credential } from "@syla/contracts/credentials";
import type { EnvironmentImage, EnvironmentImageEvent } from "@syla/contracts/environment-images";
import type { ProgramEnvironment } from "@syla/contracts/environments";
import type { Check } from "@syla/contracts/system";
import { startTestPackageIndex, type TestPackageIndex } from "@syla/testkit/package-index";
import { hasRegistry, startTestRegistry, type TestRegistry } from "@syla/testkit/registry";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, type Person } from "../access/people.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";
import { imageRepository } from "../../src/config-values.ts";
import { unpackImage } from "./unpacked-image.ts";
import { assembleImage } from "../../src/environments/images/assemble.ts";
import type { InstalledRuntime } from "../../src/runtimes/service.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
// uv, buildah and docker-registry are installed by tools/test.sh where that is possible; nothing here can be tried without them.
describe.skipIf(!existsSync(uv) || !hasRegistry)("environments as images", () => {
  let server: TestServer;
  let index: TestPackageIndex;
  let registry: TestRegistry;
  let [owner, other]: Person[] = [];
  let id = "";

  beforeAll(async () => {
    [index, registry] = await Promise.all([startTestPackageIndex(), startTestRegistry()]);
    server = await startTestServer({ SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url });
    owner = await createAccount(server);
    other = await createAccount(server);
    index.publish({ name: "greet", version: "1.0", files: { "greet.py": "TEXT = 'hello from an image'\n" } });
    const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "requirements", file: "requirements.txt" } };
    const program = await createProgram(server, owner, "Packed", { "main.py": "", "requirements.txt": "greet\n" }, { config });
    await server.send("POST", `/api/v1/runs?wait=true`, { programId: program.id }, owner.headers);
    const found = await json<ProgramEnvironment>(
      server.send("GET", `/api/v1/programs/${program.id}/environment`, undefined, owner.headers),
    );
    id = found.environment?.id ?? "";
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await Promise.all([index[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()]);
  });

  const read = async () => await json<EnvironmentImage>(server.send("GET", `/api/v1/environments/${id}/image`));
  const set = async (values: Record<string, string | null>) =>
    expect((await server.send("PATCH", "/api/v1/admin/settings", { values })).status).toBe(200);
  /** Begins, follows to the end, and answers that with all that was said. */
  const make = async (verb: "build" | "push") => {
    const begun = await server.send("POST", `/api/v1/environments/${id}/image/${verb}`, {});
    expect(begun.status).toBe(202);
    const text = await (await server.fetch(`/api/v1/environments/${id}/image/events`)).text();
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? "") as EnvironmentImageEvent);
    const end = events.at(-1);
    if (end?.type !== "end") throw new Error(`no end: ${text}`);
    return { image: end.image, events };
  };
  const credential = async (value: string) =>
    await json<Credential>(
      server.send("POST", "/api/v1/credentials", {
        kind: "registry",
        name: `Registry ${value}`,
        username: registry.username,
        value,
        ownerId: "system",
      }),
    );

  test("an image is built with its state, phases and log; whoever builds the same again gets the same", async () => {
    expect(await read()).toMatchObject({ state: "none", imageId: null, repository: null, builder: { available: true } });
    const { image, events } = await make("build");
    expect(image).toMatchObject({ state: "built", phase: null, error: null, digest: null, reference: null, hasLog: true });
    expect(image.imageId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(events.flatMap((event) => (event.type === "phase" ? [event.phase] : []))).toEqual(["environment", "assemble"]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, place) => place + 1));
    const log = await (await server.fetch(`/api/v1/environments/${id}/image/log`)).text();
    expect(log).toMatch(/Python \S+ with the agent: \d+ files[\s\S]*packages: \d+ files[\s\S]*image sha256:/);
    expect((await server.send("DELETE", `/api/v1/environments/${id}`)).status).toBe(204); // its packages are installed anew
    expect((await make("build")).image).toMatchObject({ state: "built", imageId: image.imageId });
  }, 120_000);

  test("it is pushed with the credential that is set up, and runs the packages without anything of this machine", async () => {
    const { id: credentialId } = await credential(registry.password);
    await set({ imageRepository: `${registry.host}/team/environments`, imageCredential: credentialId, imageInsecure: "true" });
    const { image, events } = await make("push");
    expect(image).toMatchObject({ state: "pushed", error: null });
    expect(image.reference).toMatch(new RegExp(`^${registry.host}/team/environments:[0-9a-f]{32}$`));
    expect(JSON.stringify(events)).not.toContain(registry.password);
    expect(readdirSync(join(server.dataDir, "environments/images"))).not.toContain("auth.json");
    using directory = createTemporaryDirectory();
    const pulled = await unpackImage(registry, "team/environments", image.digest ?? "", directory.path);
    expect(pulled.imageId).toBe(image.imageId);
    expect(pulled.settings).toMatchObject({ User: "1000:1000", WorkingDir: "/workspace" });
    const code = "import greet, ssl, sqlite3, ctypes, sys; print(greet.TEXT, sys.prefix.startswith('/layers/'))";
    expect(pulled.run(["python", "-c", code])).toBe("hello from an image True\n");
    expect(pulled.run(["sh", "-c", "ls /agent/agent.py; ls -A /home /root 2>/dev/null; id -u"])).toBe("/agent/agent.py\n1000\n");
  }, 120_000);

  test("an image that was built is pushed again as it is, and made anew after its packages were installed again", async () => {
    const said = async () => JSON.stringify((await make("push")).events);
    expect(await said()).not.toContain("packages: ");
    expect((await server.send("POST", `/api/v1/environments/${id}/build`, { again: true })).status).toBe(202);
    expect(await (await server.fetch(`/api/v1/environments/${id}/events`)).text()).toContain('"type":"end"');
    expect(await said()).toContain("packages: ");
    expect(await said()).not.toContain("packages: ");
  }, 120_000);

  test("nothing that was begun stays in the builder when an image cannot be made", async () => {
    using directory = createTemporaryDirectory();
    const gone = new AbortController();
    const verbs: string[] = [];
    const builder = {
      folder: directory.path,
      run: async (verb: string, _words: readonly string[], signal: AbortSignal) => {
        verbs.push(signal.aborted ? `${verb}, too late` : verb);
        if (verb === "commit") gone.abort(new Error("it took too long"));
        gone.signal.throwIfAborted();
        return "";
      },
    };
    const definition = { title: "Nothing", image: { ask: [], paths: [] } };
    const runtime = { definition, spec: null, version: null, compiler: null } as unknown as InstalledRuntime;
    const parts = { manager: "uv", key: "0".repeat(64), runtime, layerFolder: directory.path, labels: {} } as const;
    const python = { binary: process.execPath, ask: [] };
    await expect(assembleImage({ ...parts, python }, builder, gone.signal, () => {})).rejects.toThrow("it took too long");
    expect(verbs).toEqual(["images", "from", "add", "commit", "rm"]);
    expect(readdirSync(directory.path)).not.toContain("root.tar");
  });

  test("a registry that refuses, or is not there, is told apart from an image that cannot be built", async () => {
    const { id: wrong } = await credential("wrong horse");
    await set({ imageCredential: wrong });
    const { image } = await make("push");
    expect(image).toMatchObject({ state: "failed", phase: "push", error: { class: "infrastructure", code: "registry_refused" } });
    expect(image.error?.explanation).not.toContain("wrong horse");
    await set({ imageRepository: "127.0.0.1:1/team/environments", imageCredential: null });
    expect((await make("push")).image).toMatchObject({ state: "failed", phase: "push", error: { code: "registry_unreachable" } });
  }, 120_000);

  test("without a registry nothing is pushed, and the doctor says how to set one up", async () => {
    await set({ imageRepository: null });
    expect(await errorOf(server.send("POST", `/api/v1/environments/${id}/image/push`, {}))).toMatchObject({
      status: 503,
      code: "image_unavailable",
    });
    const { checks } = await json<{ checks: Check[] }>(server.fetch("/api/v1/doctor"));
    const check = checks.find(({ name }) => name === "environment images");
    expect(check).toMatchObject({ status: "ok" });
    expect(check?.detail).toContain("imageRepository ");
  });

  test("administrators make images; whoever has the environment sees them, others do not", async () => {
    for (const verb of ["build", "push"])
      expect((await errorOf(server.send("POST", `/api/v1/environments/${id}/image/${verb}`, {}, owner?.headers))).code).toBe("forbidden");
    expect((await server.send("GET", `/api/v1/environments/${id}/image`, undefined, owner?.headers)).status).toBe(200);
    for (const part of ["", "/log", "/events"])
      expect((await errorOf(server.send("GET", `/api/v1/environments/${id}/image${part}`, undefined, other?.headers))).code).toBe(
        "not_found",
      );
  });

  const repositories: readonly (readonly [text: string, isOne: boolean])[] = [
    ["registry.example.org/team/environments", true],
    ["localhost:5000/a", true],
    ["[::1]:5000/a/b", true],
    ["team/environments", false],
    ["registry.example.org", false],
    ["registry.example.org/a:tag", false],
    ["https://registry.example.org/a", false],
    ["user:pw@registry.example.org/a", false],
    ["registry.example.org/a --authfile=x", false],
    ["registry.example.org/../a", false],
  ];

  test.each(repositories)("%s as a repository: %s", (text, isOne) => {
    const readRepository = () => {
      try {
        return imageRepository(text) === text;
      } catch (error) {
        return /registry/.test(String(error)) ? false : error;
      }
    };
    expect(readRepository()).toBe(isOne);
  });
});
