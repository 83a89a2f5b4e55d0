import type { EnvironmentImage, EnvironmentImageEvent } from "@syla/contracts/environment-images";
import type { Credential } from "@syla/contracts/credentials";
import type { ProgramEnvironment } from "@syla/contracts/environments";
import { hasRegistry, startTestRegistry, type TestRegistry } from "@syla/testkit/registry";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProgram, json } from "../catalog/programs.ts";
import { unpackImage } from "./unpacked-image.ts";

// buildah and docker-registry are installed by tools/test.sh where that is possible; nothing here can be tried without them.
describe.skipIf(!hasRegistry)("images of languages other than Python", () => {
  let server: TestServer;
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await startTestRegistry();
    server = await startTestServer();
    const credential = { kind: "registry", name: "Registry", username: registry.username, value: registry.password, ownerId: "system" };
    const { id } = await json<Credential>(server.send("POST", "/api/v1/credentials", credential));
    const values = { imageRepository: `${registry.host}/team/environments`, imageCredential: id, imageInsecure: "true" };
    await server.send("PATCH", "/api/v1/admin/settings", { values });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  /** Has the image of a program's environment built and pushed. */
  const push = async (name: string, files: Record<string, string>, config: object): Promise<EnvironmentImage> => {
    const program = await createProgram(server, { headers: { authorization: `Bearer ${server.localKey}` } }, name, files, { config });
    const { environment } = await json<ProgramEnvironment>(server.send("POST", `/api/v1/programs/${program.id}/environment/build`, {}));
    expect((await server.send("POST", `/api/v1/environments/${environment?.id}/image/push`, {})).status).toBe(202);
    const text = await (await server.fetch(`/api/v1/environments/${environment?.id}/image/events`)).text();
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? "") as EnvironmentImageEvent);
    const end = events.at(-1);
    if (end?.type !== "end") throw new Error(`no end: ${text}`);
    return end.image;
  };

  test("one of Node.js runs a program with its modules and their commands", async () => {
    const main =
      'import ms from "ms";\nimport { createHash } from "node:crypto";\nconsole.log(ms("2 days"), createHash("sha256").update("x").digest("hex").slice(0, 8), process.getuid());\n';
    const files = { "main.mjs": main, "package.json": JSON.stringify({ dependencies: { ms: "2.1.3", semver: "7.6.0" } }) };
    const config = { runtime: "node", entrypoint: "main.mjs", dependencies: { source: "package.json", file: "package.json" } };
    const image = await push("Of Node.js", files, config);
    expect(image).toMatchObject({ state: "pushed", error: null });
    using directory = createTemporaryDirectory();
    const pulled = await unpackImage(registry, "team/environments", image.digest ?? "", directory.path);
    expect(pulled.run(["sh", "-c", "cat > main.mjs && node main.mjs && semver 1.2.3"], main)).toBe("172800000 2d711642 1000\n1.2.3\n");
  }, 240_000);

  test("one of Go compiles a program with its modules, without a network, and runs it", async () => {
    const main =
      'package main\nimport ("fmt"; "github.com/pkg/errors"; "os")\nfunc main() { fmt.Println(errors.Wrap(errors.New("inner"), "outer"), os.Getuid()) }\n';
    const manifest = "module example\n\ngo 1.21\n\nrequire github.com/pkg/errors v0.9.1\n";
    const config = { runtime: "go", entrypoint: "main.go", dependencies: { source: "go.mod", file: "go.mod" } };
    const image = await push("Of Go", { "main.go": main, "go.mod": manifest }, config);
    expect(image).toMatchObject({ state: "pushed", error: null });
    using directory = createTemporaryDirectory();
    const pulled = await unpackImage(registry, "team/environments", image.digest ?? "", directory.path);
    const script = `cat > main.go && printf '${manifest.replaceAll("\n", String.raw`\n`)}' > go.mod && go build -o main . && ./main`;
    expect(pulled.run(["sh", "-c", script], main)).toBe("outer: inner 1000\n");
  }, 400_000);
});
