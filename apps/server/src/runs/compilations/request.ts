import { createHash } from "node:crypto";
import { extname, posix } from "node:path";
import { pathInside } from "@syla/sandbox/wall";
import type { RuntimeSpec } from "@syla/sandbox/spec";
import type { CompileDefinition } from "../../runtimes/definition.ts";
import type { InstalledRuntime } from "../../runtimes/service.ts";
import type { LayerUse } from "../../environments/service.ts";
import type { RunConfig } from "../config.ts";

/** What is to be compiled, and whose it is. */
export interface CompileRequest {
  readonly ownerId: string;
  readonly runtime: InstalledRuntime;
  readonly entrypoint: string;
  readonly files: RunConfig["files"];
  readonly tier: string;
  /** The built dependencies that it is compiled with. */
  readonly layer: Pick<LayerUse, "layer" | "compileEnv" | "links"> | null;
}

/** A runtime whose programs are compiled, with what that takes. */
export interface CompiledRuntime {
  readonly spec: RuntimeSpec;
  readonly compile: CompileDefinition;
  readonly compiler: string;
}

/** Null when its programs are not compiled, or it is not installed. */
export function compiledRuntime({ definition, spec, compiler }: InstalledRuntime): CompiledRuntime | null {
  return definition.compile === null || spec === null || compiler === null ? null : { spec, compiler, compile: definition.compile };
}

/** The compiler's command line, as the sandbox takes it: `{entrypoint}` and `{binary}` are its own. */
export function compileCommand({ spec, compile, compiler }: CompiledRuntime, entrypoint: string, paths: readonly string[]): string[] {
  const manifest = Object.keys(compile.manifests).find((name) => paths.includes(name));
  const words = manifest === undefined ? compile.command : (compile.manifests[manifest] ?? compile.command);
  const others = paths.filter((path) => path !== entrypoint && compile.sources.includes(extname(path)));
  const sources = [entrypoint, ...others.toSorted()].map(asFileName);
  return words.flatMap((word) =>
    word === "{sources}"
      ? sources
      : [
          word
            .replace("{compiler}", () => pathInside(spec, compiler))
            .replace("{folder}", () => `./${posix.dirname(entrypoint)}`)
            .replace("{entrypoint}", () => asFileName(entrypoint)),
        ],
  );
}

/** A file's name must not be taken for an option, or for a file that holds options. */
function asFileName(path: string): string {
  return /^[-@]/.test(path) ? `./${path}` : path;
}

/** Equal for equal work: language, exact version, platform, command, and every file by path and content. */
export function compilationKey(request: CompileRequest, command: readonly string[]): string {
  const { runtime, entrypoint, files } = request;
  const { name, compile } = runtime.definition;
  const tree = files.map(({ path, sha256, mode }) => [path, sha256, mode]).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  const facts = [name, runtime.version, process.platform, process.arch, runtime.compiler, command, compile?.env, entrypoint, tree];
  if (request.layer !== null) facts.push(request.layer.layer);
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}
