import type { ProgramConfig, Syla } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { findCredential } from "../credentials/find-credential.ts";

type Secrets = ProgramConfig["secrets"];
const audiences = ["owner", "editors", "runners"] as const satisfies readonly Secrets[number]["givenTo"][];

/** The secrets of a program after those of the flags have taken their places. @throws CliError */
export async function readSecrets(syla: Syla, before: Secrets, texts: readonly string[], ownerId: string): Promise<Secrets> {
  const secrets = new Map(before.map((secret) => [secret.variable, secret]));
  for (const text of texts) {
    const [, variable, rest] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(text) ?? [];
    if (variable === undefined || rest === undefined)
      throw usageError(`"${text}" is not VARIABLE=credential.`, "For example: DATABASE_URL=my-database:owner.");
    if (rest === "") secrets.delete(variable);
    else secrets.set(variable, await readSecret(syla, variable, rest, ownerId, secrets.get(variable)));
  }
  return [...secrets.values()];
}

/** Who gets it stays as it was where nothing is said; at first it is the owner alone. */
async function readSecret(
  syla: Syla,
  variable: string,
  text: string,
  ownerId: string,
  before: Secrets[number] | undefined,
): Promise<Secrets[number]> {
  const audience = audiences.find((name) => text.endsWith(`:${name}`));
  const word = audience === undefined ? text : text.slice(0, -audience.length - 1);
  const { id: credentialId } = await findCredential(syla, word, ownerId);
  return { variable, credentialId, givenTo: audience ?? before?.givenTo ?? "owner" };
}
