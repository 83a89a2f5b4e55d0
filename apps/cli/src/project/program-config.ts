import { isDeepStrictEqual } from "node:util";
import type { Asset, Dependency, ProgramConfig, Syla } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { parseDuration, parseResources } from "../runs/parse-flags.ts";
import type { Project } from "./read-project.ts";

/** What a project says of how its program is run. @throws CliError */
function configOf({ settings }: Project): Partial<ProgramConfig> {
  const { runtime, entrypoint, args, resources, network, allow_domains: hosts, dependencies } = settings;
  const [name, version = null] = runtime?.split("@", 2) ?? [];
  const { timeout, ...limits } = resources ?? {};
  const profile = {
    ...parseResources(Object.entries(limits).map(([resource, value]) => `${resource}=${value}`)),
    ...(timeout !== undefined && { wallMs: parseDuration(String(timeout)) }),
  };
  return {
    ...(name !== undefined && { runtime: name, runtimeVersion: version }),
    ...(entrypoint !== undefined && { entrypoint }),
    ...(args !== undefined && { args: args.map(String) }),
    ...(resources !== undefined && { profile }),
    ...(network !== undefined && { network }),
    ...(hosts !== undefined && { network: { allow: hosts } }),
    ...(dependencies !== undefined && { dependencies: { source: "manual", file: null, packages: dependencies.map(parseDependency) } }),
  };
}

/** Has a program be run as its project says; nothing is changed where it is so already. */
export async function configureProgram(syla: Syla, project: Project, program: Asset): Promise<Asset> {
  const before = syla.programs.config(program);
  const config = { ...before, ...configOf(project) };
  return isDeepStrictEqual(config, before) ? program : await syla.assets.update(program.id, { config }, program.revision);
}

/** `requests[socks]>=2`, or `left-pad@^1.3`. */
function parseDependency(text: string): Dependency {
  const [, name, extras = "", constraint = ""] = /^((?:@[\w.-]+\/)?[\w.-]+)(?:\[([\w\s,.-]+)\])?\s*@?\s*(.*)$/.exec(text.trim()) ?? [];
  if (name === undefined) throw usageError(`"${text}" is no package.`, "Write dependencies like requests>=2 or left-pad@^1.3.");
  const list = extras.split(",").map((extra) => extra.trim());
  return { name, constraint: constraint.trim(), extras: list.filter((extra) => extra !== "") };
}
