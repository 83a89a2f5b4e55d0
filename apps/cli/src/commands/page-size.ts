import { usageError } from "../cli-error.ts";

/** The number of `--limit`. @throws CliError */
export function parsePageSize(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit;
  throw usageError(`"${text}" is not a number from 1 to 200.`, "Write -n 50; --cursor asks for the next page.");
}
