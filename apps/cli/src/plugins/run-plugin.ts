import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { CliError } from "../cli-error.ts";
import { findTarget } from "../connection.ts";
import { findLauncher, readVersion } from "../local-server/installation.ts";
import { type Environment, sylaHome } from "../settings/home.ts";
import type { PluginCommand } from "./find-plugins.ts";

const passedOn = ["SIGTERM", "SIGHUP"] as const;

/** Runs a plugin's command in place of one of ours: with its arguments, our terminal, and its exit code. @throws CliError */
export async function runPlugin({ name, file }: PluginCommand, args: readonly string[], env: Environment): Promise<number> {
  const given = { ...env, ...(await describeOurselves(env)) };
  let child: ChildProcess | undefined;
  // The terminal sends Ctrl+C to both; what it means is the plugin's to say.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  const passOn = passedOn.map((signal) => [signal, () => void child?.kill(signal)] as const);
  for (const [signal, pass] of passOn) process.on(signal, pass);
  try {
    // Afterwards: what it says first may make somebody end us at once.
    const started = (child = spawn(file, args, { stdio: "inherit", env: given }));
    return await new Promise<number>((resolve, reject) => {
      started.once("error", (cause) => reject(notStarted(name, file, cause)));
      started.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    process.off("SIGINT", ignore);
    for (const [signal, pass] of passOn) process.off(signal, pass);
  }
}

/** What a plugin is told: docs/how-to/extend-the-command-line.md promises it. */
async function describeOurselves(env: Environment): Promise<Record<string, string>> {
  const server = await findTarget({ env }).catch((error: unknown) => {
    if (error instanceof CliError && error.code === "server_not_running") return null;
    throw error;
  });
  return {
    SYLA_BIN: findLauncher() ?? process.argv[1] ?? "syla",
    SYLA_VERSION: readVersion(),
    SYLA_HOME: sylaHome(env),
    ...(server !== null && { SYLA_URL: server.url }),
    ...(server !== null && server.apiKey !== null && { SYLA_API_KEY: server.apiKey }),
  };
}

function notStarted(name: string, file: string, cause: Error): CliError {
  return new CliError(`The plugin ${name} could not be started (${file}): ${cause.message}`, {
    code: "plugin_not_started",
    exit: "unavailable",
    hint: "Its first line has to name its interpreter, e.g. #!/bin/sh, and that one has to be installed.",
    cause,
  });
}
