import type { EnvironmentImage, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import type { CommonFlags } from "../commands/command.ts";
import { connect } from "../connection.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine, plainText } from "../output/terminal-text.ts";
import { findEnvironment } from "./find-environment.ts";

export interface MakeImageFlags extends CommonFlags {
  readonly detach?: boolean;
}

/** Builds or pushes the image of an environment, and follows it to its end. */
export async function makeImage(text: string, flags: MakeImageFlags, verb: "build" | "push"): Promise<void> {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const { id } = await findEnvironment(syla, text);
  const begun = await syla.environments.images[verb](id);
  const image = flags.detach === true ? begun : await follow(syla, id, flags.json !== true);
  if (flags.json === true) printJson(image);
  else if (image.error === null)
    printLine(plainLine(image.digest === null || verb === "build" ? (image.imageId ?? id) : `${image.reference}@${image.digest}`));
  if (image.error === null) return;
  const { message, code, hint } = image.error;
  throw new CliError(message, { code, exit: "invalid_request", hint });
}

async function follow(syla: Syla, id: string, print: boolean): Promise<EnvironmentImage> {
  const progress = createProgress();
  try {
    for await (const event of syla.environments.images.events(id)) {
      if (event.type === "end") return event.image;
      if (event.type === "phase") progress.show(`${event.phase ?? "waiting"} …`);
      else if (print) process.stderr.write(plainText(event.text));
    }
  } finally {
    progress.clear();
  }
  return await syla.environments.images.get(id);
}
