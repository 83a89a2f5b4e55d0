import { usageError } from "../cli-error.ts";
import { readStdin } from "../runs/read-stdin.ts";

/** A secret from a pipe, or typed without being shown. It is never an argument: those are seen by everybody on the machine. */
export async function readValue(message: string): Promise<string> {
  const value = process.stdin.isTTY ? await askForValue(message) : (await readStdin()).toString("utf8");
  if (value.replace(/\r?\n$/, "") === "") throw usageError("There is no value.", "Pipe it in: `syla credential create … < key.txt`.");
  return value;
}

async function askForValue(message: string): Promise<string> {
  const { isCancel, password } = await import("@clack/prompts");
  const answer = await password({ message });
  if (isCancel(answer)) process.exit(130);
  return answer ?? "";
}
