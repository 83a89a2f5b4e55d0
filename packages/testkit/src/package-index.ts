import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/**
 * How the index answers for a package: `silent` takes the request and says nothing, `stall` stops after half a file, `drip` sends a byte now and
 * then, `cut` breaks off in the middle, `lie` sends other bytes than it has named.
 */
export type IndexBehaviour = "serve" | "down" | "silent" | "stall" | "drip" | "cut" | "lie" | { readonly redirect: string };

/** A package of the index. `files`: its modules by path. */
export interface TestPackage {
  readonly name: string;
  readonly version: string;
  readonly requires?: readonly string[];
  readonly requiresPython?: string;
  readonly license?: string;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Given as source: this Python code is the build backend's `build_wheel`, with `write_wheel()` at hand. */
  readonly backend?: string;
}

interface Distribution {
  readonly file: string;
  readonly bytes: Buffer;
  /** What is sent in its place by an index that lies: as good a package, and another one. */
  readonly other: Buffer;
  readonly metadata: string | null;
  readonly requiresPython: string | undefined;
}

/** A package index on loopback that speaks the simple repository API (PEP 503 and 691), and serves what tests put into it. */
export interface TestPackageIndex {
  readonly url: string;
  /** Paths that were asked for. */
  readonly requests: string[];
  /** What came with them as `authorization`, in the same order; "" where nothing did. */
  readonly authorizations: string[];
  /** Of pages and files whose path has this in it; everything is served by default. */
  behave(part: string, behaviour: IndexBehaviour): void;
  publish(entry: TestPackage): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `authorization`: what it demands with every request. */
export async function startTestPackageIndex({ authorization }: { readonly authorization?: string } = {}): Promise<TestPackageIndex> {
  const projects = new Map<string, Distribution[]>();
  const behaviours = new Map<string, IndexBehaviour>();
  const requests: string[] = [];
  const authorizations: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    requests.push(path);
    authorizations.push(request.headers.authorization ?? "");
    if (authorization !== undefined && request.headers.authorization !== authorization)
      return void response.writeHead(401).end("who are you?");
    const behaviour = [...behaviours].find(([part]) => path.includes(part))?.[1] ?? "serve";
    if (behaviour === "down") return void response.writeHead(503).end("out of order");
    if (typeof behaviour === "object") return void response.writeHead(302, { location: behaviour.redirect + path }).end();
    answer(request, response, path, behaviour, projects);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
  return {
    url,
    requests,
    authorizations,
    behave: (part, behaviour) => void (behaviour === "serve" ? behaviours.delete(part) : behaviours.set(part, behaviour)),
    publish(entry) {
      const key = entry.name.toLowerCase().replaceAll(/[-_.]+/g, "-");
      projects.set(key, [...(projects.get(key) ?? []), entry.backend === undefined ? wheelOf(entry) : sourceOf(entry, entry.backend)]);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  behaviour: IndexBehaviour,
  projects: ReadonlyMap<string, readonly Distribution[]>,
): void {
  const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
  if (project !== undefined) {
    const found = projects.get(project);
    if (found === undefined) return void response.writeHead(404).end();
    if (behaviour === "silent") return;
    if (behaviour === "stall") return response.writeHead(200).flushHeaders();
    response.writeHead(200, { "content-type": "application/vnd.pypi.simple.v1+json" });
    const files = found.map(({ file, bytes, metadata, requiresPython }) => ({
      filename: file,
      url: `/files/${file}`,
      hashes: { sha256: sha256(bytes) },
      "requires-python": requiresPython,
      "core-metadata": metadata === null ? false : { sha256: sha256(Buffer.from(metadata)) },
      size: bytes.length,
    }));
    return void response.end(JSON.stringify({ meta: { "api-version": "1.1" }, name: project, files }));
  }
  const all = [...projects.values()].flat();
  const described = all.find(({ file }) => path === `/files/${file}.metadata`);
  if (described?.metadata != null) return void response.writeHead(200).end(described.metadata);
  const distribution = all.find(({ file }) => path === `/files/${file}`);
  if (distribution === undefined) return void response.writeHead(404).end();
  sendFile(request, response, behaviour === "lie" ? distribution.other : distribution.bytes, behaviour);
}

function sendFile(request: IncomingMessage, response: ServerResponse, body: Buffer, behaviour: IndexBehaviour): void {
  if (behaviour === "silent") return;
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": body.length });
  if (request.method === "HEAD") return void response.end();
  if (behaviour === "drip") return drip(response, body);
  if (behaviour !== "stall" && behaviour !== "cut") return void response.end(body);
  response.write(body.subarray(0, body.length / 2), () => (behaviour === "cut" ? response.destroy() : undefined));
}

/** Enough that no client thinks that nothing comes. */
function drip(response: ServerResponse, body: Buffer): void {
  let sent = 0;
  const timer = setInterval(() => response.write(body.subarray(sent, (sent += 1))), 100);
  response.once("close", () => clearInterval(timer));
}

function wheelOf({ name, version, requires = [], requiresPython, license, files = {} }: TestPackage): Distribution {
  const stem = `${name.replaceAll(/[-.]+/g, "_")}-${version}`;
  const metadata = metadataOf({ name, version, requires, ...(license === undefined ? {} : { license }) });
  const modules = Object.entries(files).map(([path, content]) => [path, Buffer.from(content)] as const);
  const info = `${stem}.dist-info`;
  const entries = [
    ...modules,
    [`${info}/METADATA`, Buffer.from(metadata)] as const,
    [`${info}/WHEEL`, Buffer.from("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")] as const,
  ];
  const record = [...entries.map(([path]) => `${path},,`), `${info}/RECORD,,`].join("\n");
  return { file: `${stem}-py3-none-any.whl`, ...packed([...entries, [`${info}/RECORD`, Buffer.from(record)]]), metadata, requiresPython };
}

function metadataOf({ name, version, requires = [], license }: TestPackage): string {
  const needs = requires.map((need) => `Requires-Dist: ${need}\n`).join("");
  return `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${license === undefined ? "" : `License: ${license}\n`}${needs}`;
}

/** A source distribution with a build backend of its own, so that nothing else has to be fetched to build it. */
function sourceOf({ name, version, files = {}, requiresPython }: TestPackage, backend: string): Distribution {
  const stem = `${name.replaceAll(/[-.]+/g, "_")}-${version}`;
  const metadata = metadataOf({ name, version });
  const code = `
import os, zipfile
STEM, METADATA = ${JSON.stringify(stem)}, ${JSON.stringify(metadata)}
def prepare_metadata_for_build_wheel(folder, settings=None):
    os.makedirs(f"{folder}/{STEM}.dist-info")
    open(f"{folder}/{STEM}.dist-info/METADATA", "w").write(METADATA)
    return f"{STEM}.dist-info"
def build_wheel(folder, settings=None, metadata=None):
    def write_wheel(modules):
        name = f"{STEM}-py3-none-any.whl"
        with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
            for path, text in modules.items():
                wheel.writestr(path, text)
            wheel.writestr(f"{STEM}.dist-info/METADATA", METADATA)
            wheel.writestr(f"{STEM}.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
            wheel.writestr(f"{STEM}.dist-info/RECORD", "")
        return name
${backend.replaceAll(/^/gm, "    ")}
`;
  const project = `[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "${name}"\nversion = "${version}"\n`;
  const own = Object.entries(files).map(([path, content]) => [`${stem}/${path}`, Buffer.from(content)] as const);
  const entries = [
    [`${stem}/PKG-INFO`, Buffer.from(metadata)],
    [`${stem}/pyproject.toml`, Buffer.from(project)],
    [`${stem}/backend.py`, Buffer.from(code)],
  ] as const;
  return { file: `${stem}.zip`, ...packed([...entries, ...own]), metadata: null, requiresPython };
}

function packed(entries: Parameters<typeof zip>[0]): Pick<Distribution, "bytes" | "other"> {
  return { bytes: zip(entries), other: zip([...entries, ["another.txt", Buffer.from("of somebody else")]]) };
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A ZIP archive of stored files. Source: PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.16. */
function zip(entries: readonly (readonly [path: string, content: Buffer])[]): Buffer {
  const [bodies, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [path, content] of entries) {
    const name = Buffer.from(path);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(0x0800, 2);
    facts.writeUInt32LE(0x00210000, 6); // 1980-01-01
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(content.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), facts, name, content]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(0o100644 * 65_536, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), facts, tail, name]));
    bodies.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, ...directory, Buffer.from("PK\u0005\u0006"), end]);
}
