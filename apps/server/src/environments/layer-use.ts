import type { InputLink, RuntimeSpec } from "@syla/sandbox/spec";
import { layersFolder } from "@syla/sandbox/wall";
import type { Manager } from "./request.ts";

/** How a run finds a layer. */
export interface LayerUse {
  /** Its name, which makes it part of what a compilation is a compilation of. */
  readonly layer: string;
  /** The runtime as its programs have it with the layer. */
  readonly adapt: (spec: RuntimeSpec) => RuntimeSpec;
  /** Its programs. */
  readonly folders: readonly string[];
  /** Variables besides the run's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Those of a compilation. */
  readonly compileEnv: Readonly<Record<string, string>>;
  readonly links: readonly InputLink[];
}

export const systemPath = "/usr/local/bin:/usr/bin:/bin";

/** Python gets an interpreter that is at home there, Node.js a folder of modules, Go a cache of modules that it compiles from. */
export function useOfLayer(manager: Manager, layer: string): LayerUse {
  const folder = `${layersFolder}/${layer}`;
  if (manager === "uv")
    return {
      layer,
      adapt: (spec) => ({ ...spec, prefix: folder, command: spec.command.map((word) => word.replace("{binary}", `${folder}/bin/python`)) }),
      folders: [`${folder}/bin`],
      env: { PATH: `${folder}/bin:${systemPath}`, VIRTUAL_ENV: folder },
      compileEnv: {},
      links: [],
    };
  if (manager === "npm")
    return {
      layer,
      adapt: (spec) => spec,
      folders: [`${folder}/node_modules/.bin`],
      env: { PATH: `${folder}/node_modules/.bin:${systemPath}` },
      compileEnv: {},
      links: [{ path: "node_modules", link: `${folder}/node_modules` }],
    };
  // No index of modules: it would be written beside the compiled library, which is read-only.
  const compileEnv = { GOMODCACHE: `${folder}/mod`, GOFLAGS: "-mod=mod", GOPROXY: "off", GONOSUMDB: "*", GODEBUG: "goindex=0" };
  return { layer, adapt: (spec) => spec, folders: [], env: {}, compileEnv, links: [] };
}
