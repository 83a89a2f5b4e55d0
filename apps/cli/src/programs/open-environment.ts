import { setTimeout as sleep } from "node:timers/promises";
import type { Asset, ProgramRunInputDraft, ProgramSandbox, Sandbox, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { createProgress, note } from "../output/progress.ts";
import { plainLine, plainText } from "../output/terminal-text.ts";

const pollMs = 200;

interface EnvironmentWish {
  readonly version?: string;
  readonly restart: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly datasets: NonNullable<ProgramRunInputDraft["datasets"]>;
}

/** The interactive environment of a program, running: the one that lives, or a new one. Says what it waits for. */
export async function openEnvironment(syla: Syla, program: Asset, { version, restart, env, datasets }: EnvironmentWish): Promise<Sandbox> {
  const before = restart ? (await syla.environments.sandboxOf(program.id)).sandbox : null;
  const wish = {
    ...(version !== undefined && { version }),
    ...(before?.endedAt === null && { replaces: before.id }),
    env: { ...env },
    datasets,
  };
  const begun = await syla.environments.startSandbox(program.id, wish);
  if (begun.isCurrent === false)
    note("this environment was started before the program became what it is now; --restart ends it and begins with what is there now.");
  const has = begun.sandbox?.program;
  const missing = [
    ...Object.keys(env).filter((name) => has?.variables.includes(name) !== true),
    ...datasets.filter(({ id }) => has?.datasets.some((one) => one.id === id) !== true).map(({ name, id }) => name ?? id),
  ];
  if (missing.length > 0)
    note(`this environment was started without ${missing.join(", ")}; --restart ends it and begins with what you say.`);
  const sandbox = await untilStarted(syla, begun);
  for (const variable of sandbox.program?.withheldVariables ?? []) note(`the secret ${plainLine(variable)} is not given to you here.`);
  return sandbox;
}

async function untilStarted(syla: Syla, begun: ProgramSandbox): Promise<Sandbox> {
  const progress = createProgress();
  try {
    for (let { sandbox } = begun; ; { sandbox } = await syla.environments.sandboxOf(begun.programId)) {
      if (sandbox === null)
        throw new CliError("The environment is gone.", { code: "sandbox_ended", exit: "unavailable", hint: "Try again." });
      if (sandbox.endedAt !== null) throw notStarted(sandbox);
      if (sandbox.status !== "starting") return sandbox;
      progress.show("starting …");
      const environmentId = sandbox.program?.environmentId ?? null;
      if (sandbox.phase === null || environmentId === null) await sleep(pollMs);
      else
        for await (const event of syla.environments.events(environmentId)) {
          if (event.type === "end") break;
          if (event.type === "phase") progress.show(`building its packages: ${event.phase ?? "waiting"} …`);
        }
    }
  } finally {
    progress.clear();
  }
}

function notStarted({ error, endReason }: Sandbox): CliError {
  if (error === null)
    return new CliError(`The environment has ended (${endReason}).`, {
      code: "sandbox_ended",
      exit: "unavailable",
      hint: "Start it again.",
    });
  if (error.explanation !== null) process.stderr.write(`${plainText(error.explanation)}\n`);
  return new CliError(plainLine(error.message), { code: error.code, exit: "invalid_request", hint: plainLine(error.hint) });
}
