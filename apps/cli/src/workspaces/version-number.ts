import { usageError } from "../cli-error.ts";

/** The number of a version of a workspace. @throws CliError when it is none */
export function readVersionNumber(word: string): number {
  if (!/^[1-9]\d{0,8}$/.test(word)) throw usageError(`"${word}" is no version's number.`, "`syla workspace versions` lists them.");
  return Number(word);
}
