import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { agentSource } from "@syla/sandbox/agent-code";
import type { RuntimeSpec } from "@syla/sandbox/spec";
import { layersFolder, pathInside } from "@syla/sandbox/wall";
import type { InstalledRuntime } from "../../runtimes/service.ts";
import { systemPath, useOfLayer } from "../layer-use.ts";
import type { Manager } from "../request.ts";
import type { Buildah } from "./buildah.ts";
import { pathsOf, printed, RootFiles } from "./root-files.ts";
import { writeRoot } from "./root-archive.ts";

const etc = join(agentSource, "../etc");
const etcFiles = ["passwd", "group", "nsswitch.conf"];

/** What an image is made of. */
export interface ImageParts {
  readonly manager: Manager;
  /** Of the environment: names its layer in the image, the same wherever it is built. */
  readonly key: string;
  readonly runtime: InstalledRuntime;
  /** The host folder of the layer. */
  readonly layerFolder: string;
  /** What the agent of a sandbox runs on: its path, and how it is asked for its standard library. */
  readonly python: { readonly binary: string; readonly ask: readonly string[] };
  readonly labels: Readonly<Record<string, string>>;
}

/** An image in the builder's store. */
export interface AssembledImage {
  readonly id: string;
  readonly size: number;
  /** The name of the image that it stands on. */
  readonly base: string;
}

/** What images of the same language stand on. */
export const baseRepository = "localhost/syla-base";
const tidyMs = 60_000;

/**
 * Assembles an image of two parts: the language with the agent, which images of the same language share, and the packages. Nothing is downloaded
 * and nothing is executed but programs of this machine, so it is made of what runs here, and the same parts give the same image.
 *
 * @throws BuilderError, the signal's reason
 */
export async function assembleImage(
  parts: ImageParts,
  builder: Buildah,
  signal: AbortSignal,
  log: (data: Buffer) => void,
): Promise<AssembledImage> {
  const run = (verb: string, ...words: string[]) => builder.run(verb, words, signal, log);
  const say = (text: string) => log(Buffer.from(`${text}\n`));
  const archive = join(builder.folder, "root.tar");
  try {
    const base = await gatherBase(parts);
    const baseSize = await writeRoot(base.entries, archive, signal);
    const baseName = `${baseRepository}:${(await hashFile(archive)).slice(0, 32)}`;
    say(
      `${parts.runtime.definition.title} ${parts.runtime.version ?? ""} with the agent: ${base.entries.size} files, ${mebibytes(baseSize)}`,
    );
    if ((await run("images", "--quiet", "--filter", `reference=${baseName}`)) === "") {
      const container = await run("from", "scratch");
      await run("add", "--quiet", container, archive, "/");
      await run("commit", "--quiet", "--rm", "--timestamp", "0", "--identity-label=false", container, baseName);
    }
    const packages = gatherLayer(parts);
    const layerSize = await writeRoot(packages.entries, archive, signal);
    say(`packages: ${packages.entries.size} files, ${mebibytes(layerSize)}`);
    const container = await run("from", "--pull-never", baseName);
    await run("add", "--quiet", container, archive, "/");
    await run("config", ...settingsOf(parts), container);
    const id = await run("commit", "--quiet", "--rm", "--timestamp", "0", "--identity-label=false", container, imageName(parts.key));
    say(`image sha256:${id}`);
    return { id: `sha256:${id}`, size: baseSize + layerSize, base: baseName };
  } catch (error) {
    // What was begun would lie there until the server starts again. One image is made at a time: all of them are this one's.
    await builder.run("rm", ["--all"], AbortSignal.timeout(tidyMs), log).catch(() => {});
    throw error;
  } finally {
    rmSync(archive, { force: true });
  }
}

/** What it is called in the builder's own store. */
export function imageName(key: string): string {
  return `localhost/syla-environment:${tagOf(key)}`;
}

/** The tag that names it in a registry. */
export function tagOf(key: string): string {
  return key.slice(0, 32);
}

async function gatherBase({ runtime, python, manager }: ImageParts): Promise<RootFiles> {
  const root = new RootFiles();
  root.addSystem();
  const { spec, compiler, definition } = runtime;
  const { ask, paths } = definition.image;
  if (spec !== null) {
    for (const { source, target } of spec.mounts) root.add(source, target);
    const binary = programOf(manager, spec, compiler);
    if (pathInside(spec, binary) === binary) root.add(binary);
    for (const path of [...(await answers(binary, ask)), ...paths.flatMap(pathsOf)]) if (pathInside(spec, path) === path) root.add(path);
  }
  root.add(python.binary);
  for (const path of await answers(python.binary, python.ask)) root.add(path);
  root.add(agentSource, "/agent");
  for (const name of etcFiles) root.file(`/etc/${name}`, join(etc, name));
  for (const path of ["/workspace", "/output"]) root.folder(path, 0o777);
  root.folder("/tmp", 0o1777);
  for (const path of ["/proc", "/dev", "/sys"]) root.folder(path);
  await root.addLibraries();
  return root;
}

/** Each line that a program of the language answers is a path that it needs. */
async function answers(binary: string, words: readonly string[]): Promise<string[]> {
  if (words.length === 0) return [];
  return (await printed(binary, words)).split("\n").filter((line) => line.startsWith("/"));
}

function gatherLayer({ manager, key, layerFolder }: ImageParts): RootFiles {
  const root = new RootFiles();
  root.add(layerFolder, `${layersFolder}/${tagOf(key)}`, { whole: true });
  for (const { path, link } of useOfLayer(manager, tagOf(key)).links) root.link(`/workspace/${path}`, link);
  return root;
}

function settingsOf({ manager, key, runtime, labels }: ImageParts): string[] {
  const use = useOfLayer(manager, tagOf(key));
  const base = { PATH: systemPath, LANG: "C.UTF-8", HOME: "/tmp", ...runtime.definition.compile?.env, ...runtime.spec?.env };
  const env = { ...base, ...use.env, ...use.compileEnv };
  const folders = [...env.PATH.split(":"), ...languageFolders(manager, runtime)];
  return [
    "--user",
    "1000:1000",
    "--workingdir",
    "/workspace",
    "--cmd",
    "/bin/sh",
    ...Object.entries({ ...env, PATH: [...new Set(folders)].join(":") }).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
  ];
}

/** Where the language's own program is in the image, found by its name there. */
function languageFolders(manager: Manager, { spec, compiler }: InstalledRuntime): string[] {
  return spec === null ? [] : [dirname(pathInside(spec, programOf(manager, spec, compiler)))];
}

function programOf(manager: Manager, spec: RuntimeSpec, compiler: string | null): string {
  return manager === "go" ? (compiler ?? spec.binary) : spec.binary;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

async function hashFile(path: string): Promise<string> {
  const sum = createHash("sha256");
  for await (const chunk of createReadStream(path)) sum.update(chunk as Buffer);
  return sum.digest("hex");
}
