import type { Environment, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { findProgram } from "./find-program.ts";

/** The environment that is meant by its id, or by a program that has it. `build` makes one that is not there yet. */
export async function findEnvironment(
  syla: Syla,
  text: string,
  options: { build?: boolean; version?: string; upgrade?: boolean } = {},
): Promise<Environment> {
  if (text.startsWith("env_")) return options.build === true ? await syla.environments.build(text) : await syla.environments.get(text);
  const { id, name } = await findProgram(syla, text);
  const { version, upgrade = false } = options;
  const found =
    options.build === true
      ? await syla.environments.buildForProgram(id, { upgrade, ...(version !== undefined && { version }) })
      : await syla.environments.ofProgram(id, version);
  if (found.environment !== null && found.environment.id !== "") return found.environment;
  if (found.problem !== null)
    throw new CliError(found.problem.message, { code: found.problem.code, exit: "invalid_request", hint: found.problem.hint });
  throw new CliError(found.environment === null ? `${name} needs no packages.` : `The environment of ${name} has not been built yet.`, {
    code: "not_found",
    exit: "no_input",
    hint: found.environment === null ? "There is nothing to install for it." : `Build it: syla environment build ${id}`,
  });
}
