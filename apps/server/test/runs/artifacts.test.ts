import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { ArtifactLink } from "@syla/contracts/artifacts";
import type { Artifact } from "@syla/contracts/runs";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import fc from "fast-check";
import { fromBuffer, type Entry, type ZipFile } from "yauzl";
import { readRange } from "../../src/platform/byte-range.ts";
import { createAccount, setStatus, share } from "../access/people.ts";
import { safeZipPath } from "../../src/platform/zip.ts";
import { readLink, signLink } from "../../src/runs/artifacts/links.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("artifacts", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const python = async (code: string) => await execute(server, { language: "python", code: `import os\nos.chdir('/output')\n${code}` });
  const list = async (id: string) => ((await (await server.fetch(`/api/v1/runs/${id}/artifacts`)).json()) as { items: Artifact[] }).items;

  it("are what the program left in /output, byte for byte", async () => {
    const run = await python(
      "os.makedirs('a/b')\nopen('a/b/data.bin', 'wb').write(bytes(range(256)) * 5000)\nopen('table.csv', 'w').write('1,2')\nopen('empty', 'w')",
    );
    expect(run).toMatchObject({ status: "succeeded", artifactCount: 3, skippedArtifacts: [] });
    const items = await list(run.id);
    expect(items.map(({ path, size, mimeType }) => [path, size, mimeType])).toEqual([
      ["a/b/data.bin", 1_280_000, "application/octet-stream"],
      ["empty", 0, "application/octet-stream"],
      ["table.csv", 3, "text/csv"],
    ]);
    for (const item of items) {
      const response = await server.fetch(`/api/v1/runs/${run.id}/artifacts/${item.id}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get("content-length")).toBe(String(item.size));
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(item.sha256);
    }
  });

  it("are kept of a program that failed or ran out of time", async () => {
    expect(await python("open('kept', 'w').write('x')\n1/0")).toMatchObject({ status: "failed", artifactCount: 1 });
    const late = await execute(server, { language: "bash", code: "echo x > /output/kept; sleep 60", limits: { wallMs: 300 } });
    expect(late).toMatchObject({ status: "timed_out", artifactCount: 1 });
  });

  it("are only regular files of the program's own", async () => {
    const run = await python(
      "os.symlink('/etc/passwd', 'link')\nos.symlink('/', 'root')\nos.mkfifo('pipe')\nopen('real', 'w').write('x')\nos.link('real', 'second')\nopen(b'\\xff\\xfe', 'w')",
    );
    const items = await list(run.id);
    expect(items.map((item) => item.path)).toContain("real");
    for (const name of ["link", "root", "pipe"]) {
      expect(items.map((item) => item.path)).not.toContain(name);
      expect(run.skippedArtifacts.map((skipped) => skipped.path)).toContain(name);
    }
    expect(items.every((item) => item.path.isWellFormed() && !item.path.includes("\u{fffd}"))).toBe(true);
    expect(run.artifactCount).toBe(items.length);
  });

  it("have names that do no harm in a header", async () => {
    const names = [
      'quote".txt',
      "new\nline.txt",
      "semi;colon=1.txt",
      "ünï 🙂.txt",
      "(paren)'s*.html",
      "%2e%2e%2f.svg",
      "back\\slash",
      "-rf",
    ];
    const run = await python(`for name in ${JSON.stringify(names)}: open(name, 'w').write(name)`);
    const items = await list(run.id);
    expect(items.map((item) => item.path).toSorted()).toEqual(names.toSorted());
    for (const item of items) {
      const response = await server.fetch(`/api/v1/runs/${run.id}/artifacts/${item.id}`);
      const disposition = response.headers.get("content-disposition") ?? "";
      expect(disposition).toMatch(/^attachment; filename\*=UTF-8''[\w!#$&+.^`|~%-]+$/);
      expect(decodeURIComponent(disposition.replace(/^.*''/, ""))).toBe(item.path);
      expect(response.headers.get("content-security-policy")).toContain("sandbox");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(await response.text()).toBe(item.path);
    }
  });

  it("are counted, listed by pages and found by name; what is over the limit is named and left out", async () => {
    const run = await python("for i in range(11_500): open(f'{i:05}', 'w').write('x')");
    expect(run).toMatchObject({ artifactCount: 10_000, skippedArtifactCount: 1500 });
    expect(run.skippedArtifacts).toHaveLength(1000);
    const paths: string[] = [];
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null; pages++) {
      expect(pages).toBeLessThan(11);
      const page = await server.fetch(`/api/v1/runs/${run.id}/artifacts${cursor === "" ? "" : `?cursor=${cursor}`}`);
      const { items, nextCursor } = (await page.json()) as { items: Artifact[]; nextCursor: string | null };
      paths.push(...items.map(({ path }) => path));
      cursor = nextCursor;
    }
    expect(paths).toEqual(Array.from({ length: 10_000 }, (_, index) => String(index).padStart(5, "0")));
    const found = await server.fetch(`/api/v1/runs/${run.id}/artifacts?q=0777&limit=3`);
    expect(((await found.json()) as { items: Artifact[] }).items.map(({ path }) => path)).toEqual(["00777", "07770", "07771"]);
    for (const query of ["cursor=%00", "limit=1001", "q=%00"])
      expect((await server.fetch(`/api/v1/runs/${run.id}/artifacts?${query}`)).status).toBe(400);
  });

  // Disks that make a file in a third of a millisecond take half a minute for them.
  it("may be a hundred thousand: the server goes on, and what is left out is counted", { timeout: 300_000 }, async () => {
    // Where a sandbox writes counts as its memory: a hundred thousand files are 400 MiB.
    const code =
      "import os\nfor i in range(100):\n  os.mkdir(f'/output/{i:03}')\n  for j in range(1000): open(f'/output/{i:03}/{j:03}', 'w').write(f'{i} {j}')";
    const many = execute(server, { language: "python", code, limits: { memoryBytes: 2 * 1024 ** 3, wallMs: 240_000 } });
    const other = await execute(server, { language: "bash", code: "echo x > /output/x" });
    expect(other).toMatchObject({ status: "succeeded", artifactCount: 1 });
    const run = await many;
    expect(run).toMatchObject({ status: "succeeded", artifactCount: 10_000, skippedArtifactCount: 90_000 });
    expect(run.skippedArtifacts).toHaveLength(1000);
    expect((await list(run.id)).length).toBeGreaterThan(0);
  });

  it("are none where nothing was left", async () => {
    const run = await execute(server, { language: "bash", code: "true" });
    expect(await list(run.id)).toEqual([]);
    expect((await server.fetch(`/api/v1/runs/${run.id}/artifacts/art_x`)).status).toBe(404);
  });

  it("are answered in parts, and not again to who has them", async () => {
    const run = await python(
      "open('digits', 'w').write('0123456789'); open('empty', 'w'); open('large', 'wb').write(bytes(range(256)) * 1024)",
    );
    const [digits, empty, large] = await list(run.id);
    const read = async (artifact: Artifact | undefined, headers: Record<string, string>) => {
      const answer = await server.fetch(`/api/v1/runs/${run.id}/artifacts/${artifact?.id}`, { headers });
      return { answer, text: await answer.text(), range: answer.headers.get("content-range") };
    };
    for (const [range, text, told] of [
      ["bytes=0-0", "0", "bytes 0-0/10"],
      ["bytes=3-5", "345", "bytes 3-5/10"],
      ["bytes=7-", "789", "bytes 7-9/10"],
      ["bytes=-2", "89", "bytes 8-9/10"],
      ["bytes=-99", "0123456789", "bytes 0-9/10"],
      ["bytes=5-999", "56789", "bytes 5-9/10"],
    ] as const) {
      const part = await read(digits, { range });
      expect([part.answer.status, part.text, part.range, part.answer.headers.get("content-length")]).toEqual([
        206,
        text,
        told,
        String(text.length),
      ]);
    }
    for (const range of ["bytes=10-", "bytes=99-100", "bytes=-0"]) {
      const none = await read(digits, { range });
      expect([none.answer.status, none.range]).toEqual([416, "bytes */10"]);
      expect(none.text).toContain("range_not_satisfiable");
    }
    for (const range of ["bytes=0-1,4-5", "bytes=5-3", "bytes=-", "lines=1-2", "bytes=a-b", "bytes= 1-2"])
      expect([(await read(digits, { range })).answer.status, (await read(digits, { range })).text]).toEqual([200, "0123456789"]);
    expect((await read(empty, { range: "bytes=0-1" })).answer.status).toBe(200);
    const part = await server.fetch(`/api/v1/runs/${run.id}/artifacts/${large?.id}`, { headers: { range: "bytes=200000-200003" } });
    expect([...new Uint8Array(await part.arrayBuffer())]).toEqual([64, 65, 66, 67]);

    const etag = `"${digits?.sha256}"`;
    const whole = await read(digits, {});
    expect([whole.answer.headers.get("etag"), whole.answer.headers.get("accept-ranges")]).toEqual([etag, "bytes"]);
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const known = await read(digits, { "if-none-match": tag });
      expect([known.answer.status, known.text]).toEqual([304, ""]);
    }
    expect((await read(digits, { "if-none-match": '"x"' })).answer.status).toBe(200);
    expect((await read(digits, { "if-range": etag, range: "bytes=0-0" })).answer.status).toBe(206);
    expect((await read(digits, { "if-range": '"x"', range: "bytes=0-0" })).answer.status).toBe(200);
  });

  it("are all in one archive, under names that can be unpacked anywhere", async () => {
    const run = await python(
      "os.makedirs('a/b')\nfor name in ['plain.txt', 'a/b/c.txt', 'new\\nline', 'back\\\\slash', '\\u202egpj.exe', 'con', 'dot.', 'é🙂.txt', '..data', 'n' * 255]: open(name, 'w').write(name)\nopen('photo.png', 'wb').write(os.urandom(70_000))",
    );
    const answer = await server.fetch(`/api/v1/runs/${run.id}/artifacts/zip`);
    expect(answer.headers.get("content-type")).toBe("application/zip");
    expect(answer.headers.get("content-disposition")).toContain(`${run.id}.zip`);
    const entries = await unzip(Buffer.from(await answer.arrayBuffer()));
    const items = await list(run.id);
    expect(entries.size).toBe(items.length);
    for (const { path, sha256 } of items) {
      const bytes = entries.get(safeZipPath(path)) ?? Buffer.alloc(0);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    }
    expect([...entries.keys()].filter((name) => /[\\\u0000-\u001f\u202e]|^con$|\.$/u.test(name))).toEqual([]);
    expect([...entries.keys()]).toEqual(expect.arrayContaining(["plain.txt", "a/b/c.txt", "é🙂.txt", "..data", "n".repeat(255)]));
    const none = await execute(server, { language: "bash", code: "true" });
    expect((await unzip(Buffer.from(await (await server.fetch(`/api/v1/runs/${none.id}/artifacts/zip`)).arrayBuffer()))).size).toBe(0);
  });

  it("have names in an archive that lead nowhere else, and no two become one", () => {
    const part = fc.string({ unit: fc.constantFrom("a", ".", "\\", ":", "\n", "\u202e", " ", "é", "C"), minLength: 1, maxLength: 8 });
    const path = fc.array(
      part.filter((text) => text !== "." && text !== ".."),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(
          path.map((parts) => parts.join("/")),
          { maxLength: 20 },
        ),
        (paths) => {
          const names = paths.map(safeZipPath);
          expect(new Set(names).size).toBe(paths.length);
          for (const name of names)
            expect(name.split("/").every((text) => text !== "" && text !== "." && text !== ".." && !/[\\:\n\u202e]|[. ]$/.test(text))).toBe(
              true,
            );
        },
      ),
    );
  });

  it("are shown, if they are pages, as documents that reach nothing", async () => {
    const run = await python(
      "open('page.html', 'w').write('<script>1</script>'); open('a.svg', 'w').write('<svg/>'); open('b.txt', 'w').write('x')",
    );
    const items = await list(run.id);
    const view = async (path: string, headers: Record<string, string> = {}) =>
      await server.fetch(`/api/v1/runs/${run.id}/artifacts/${items.find((item) => item.path === path)?.id}/view`, { headers });
    const page = await view("page.html");
    expect([page.status, page.headers.get("content-type"), page.headers.get("content-disposition")]).toEqual([
      200,
      "text/html; charset=utf-8",
      "inline",
    ]);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^sandbox allow-scripts; default-src 'none'; /);
    expect(policy).not.toMatch(/allow-same-origin|allow-top|allow-popups|https?:|\*/);
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    for (const path of ["a.svg", "b.txt"]) expect((await view(path)).status).toBe(404);
    expect((await view("page.html", { "sec-fetch-dest": "iframe" })).status).toBe(200);
    for (const use of ["document", "script", "empty", "object"]) {
      const refused = await view("page.html", { "sec-fetch-dest": use });
      expect([refused.status, await refused.json()]).toMatchObject([404, { code: "not_found", hint: "Download it." }]);
    }
  });

  it("are downloaded by links that end: by time, by word, with the run's visibility, and with the right of whoever made them", async () => {
    const ann = await createAccount(server);
    const bob = await createAccount(server);
    const code = "import os\nopen('/output/data.txt', 'w').write('secret')";
    const made = await server.send("POST", "/api/v1/executions?wait=true", { language: "python", code }, ann.headers);
    const { id } = (await made.json()) as { id: string };
    const address = `/api/v1/runs/${id}/artifact-links`;
    const [artifact] = await list(id);
    const link = async (body: object = {}, headers = ann.headers) => await server.send("POST", address, body, headers);
    const urlOf = async (body: object = {}, headers = ann.headers) => ((await (await link(body, headers)).json()) as ArtifactLink).url;
    const open = async (url: string, headers: Record<string, string> = {}) => await fetch(url, { headers });

    const one = await urlOf({ artifactId: artifact?.id });
    const answer = await open(one);
    expect([answer.status, await answer.text(), answer.headers.get("set-cookie")]).toEqual([200, "secret", null]);
    expect(answer.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''data.txt");
    expect(answer.headers.get("content-security-policy")).toContain("sandbox");
    expect((await open(one, { range: "bytes=0-1" })).status).toBe(206);
    expect([...(await unzip(Buffer.from(await (await open(await urlOf())).arrayBuffer()))).keys()]).toEqual(["data.txt"]);

    for (const body of [{ artifactId: "art_none" }, { artifactId: "\0" }]) expect((await link(body)).status).toBe(404);
    for (const body of [
      { expiresInSeconds: 59 },
      { expiresInSeconds: 604_801 },
      { expiresInSeconds: 60.5 },
      { artifactId: "" },
      { more: 1 },
    ])
      expect((await link(body)).status).toBe(400);
    expect((await link({}, bob.headers)).status).toBe(404);

    const token = one.split("/").at(-1) ?? "";
    for (const other of [
      `${token}x`,
      token.replace("art_", "art_0"),
      token.slice(0, -3),
      token.replace(/\.[^.]+$/, `.${"A".repeat(43)}`),
      "x",
      "%00",
    ]) {
      const refused = await open(one.replace(token, other));
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, "artifact_link_invalid"]);
    }

    await share(server, ann, { resourceType: "run", resourceId: id, email: bob.email, level: "admin" });
    const ofBob = await urlOf({}, bob.headers);
    expect((await open(ofBob)).status).toBe(200);
    await setStatus(server, bob, "suspended");
    expect((await open(ofBob)).status).toBe(403);
    expect((await open(one)).status).toBe(200);

    expect((await server.send("DELETE", address, undefined, ann.headers)).status).toBe(204);
    expect((await open(one)).status).toBe(403);
    const next = await urlOf();
    expect((await open(next)).status).toBe(200);
    await server.send("PATCH", `/api/v1/runs/${id}`, { visibility: "private" }, ann.headers);
    expect((await open(next)).status).toBe(403);
    const last = await urlOf();
    expect((await server.send("DELETE", `/api/v1/runs/${id}`, undefined, ann.headers)).status).toBe(204);
    expect((await open(last)).status).toBe(403);
  });
});

describe("a link to artifacts", () => {
  const claims = { runId: `run_${"0".repeat(26)}`, artifactId: null, userId: "user_1", madeAt: 1000, expiresAt: 2000 };
  const secretOf = (id: string) => `secret of ${id}`;

  it("says what was signed, until it expires", () => {
    const token = signLink(claims, secretOf);
    expect(readLink(token, secretOf, 1999)).toEqual(claims);
    expect(readLink(token, secretOf, 2000)).toBeNull();
    expect(readLink(token, () => "another", 1500)).toBeNull();
  });

  it("says nothing when one character of it is another", () => {
    const token = signLink({ ...claims, artifactId: `art_${"1".repeat(26)}` }, secretOf);
    fc.assert(
      fc.property(fc.nat(token.length - 2), fc.constantFrom("0", "a", "Z", ".", "-"), (at, character) => {
        const other = token.slice(0, at) + character + token.slice(at + 1);
        fc.pre(other !== token);
        expect(readLink(other, secretOf, 1500)).toBeNull();
      }),
    );
  });
});

describe("a range", () => {
  it("is within what there is, or is none", () => {
    const number = fc.oneof(fc.constant(""), fc.nat(20).map(String), fc.constant("99999999999999999999"));
    fc.assert(
      fc.property(number, number, fc.nat(15), (first, last, size) => {
        const range = readRange(`bytes=${first}-${last}`, size);
        if (range === null || range === "none") return;
        expect(range.length).toBeGreaterThan(0);
        expect(range.offset + range.length).toBeLessThanOrEqual(size);
      }),
    );
  });
});

async function unzip(bytes: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(bytes, { lazyEntries: false, autoClose: false }, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  const entries: Entry[] = [];
  await new Promise<void>((resolve, reject) =>
    zip
      .on("entry", (entry: Entry) => void entries.push(entry))
      .on("end", resolve)
      .on("error", reject),
  );
  for (const entry of entries) {
    const stream = await new Promise<Readable>((resolve, reject) =>
      zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened))),
    );
    files.set(entry.fileName, Buffer.concat(await stream.toArray()));
  }
  return files;
}
