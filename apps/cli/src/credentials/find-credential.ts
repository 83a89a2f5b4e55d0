import type { Credential, Syla } from "@syla/sdk";
import { CliError } from "../cli-error.ts";
import { plainLine } from "../output/terminal-text.ts";

/** One of yours or your teams', by id or name; by name among those of one owner. @throws CliError `not_found` */
export async function findCredential(syla: Syla, word: string, ownerId?: string): Promise<Credential> {
  if (/^cred_[0-9a-z]{26}$/.test(word)) return await syla.credentials.get(word);
  const found: Credential[] = [];
  for await (const credential of syla.credentials.list(ownerId === undefined ? {} : { ownerId }))
    if (credential.name === word) found.push(credential);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  throw new CliError(
    first === undefined ? `There is no credential "${plainLine(word)}" of yours.` : `Several credentials are called "${plainLine(word)}".`,
    { code: "not_found", exit: "invalid_request", hint: "`syla credential list` shows their ids." },
  );
}
