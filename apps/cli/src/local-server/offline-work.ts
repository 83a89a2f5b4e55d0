import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CliError, exitCodes, type ExitReason } from "../cli-error.ts";
import { installationRoot } from "./installation.ts";
import { findRunningServer } from "./server-file.ts";

/** Work of the server's on its data while it does not run. */
export interface OfflineWork {
  /** The file that does it, from the root of the installation. */
  readonly entry: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Nobody else may work on it meanwhile; null: it is only read elsewhere. */
  readonly dataDir: string | null;
  /** When it ends without an error of its own. */
  readonly failure: { readonly code: string; readonly hint: string };
}

/**
 * Does it in a process that ends with this one; it writes a JSON document a line, the last one is what came of it.
 *
 * @throws CliError with the code of what is wrong
 */
export async function workOffline<Line>(work: OfflineWork, onLine: (line: Line) => void): Promise<{ last: Line; code: number | null }> {
  const { entry, words, env, dataDir, failure } = work;
  if (dataDir !== null && findRunningServer(dataDir) !== null)
    throw new CliError("The server is running.", { code: "data_dir_in_use", exit: "try_later", hint: "Stop it with `syla down` first." });
  const file = join(installationRoot(), entry);
  if (!existsSync(file))
    throw new CliError("There is no server in this installation.", {
      code: "server_missing",
      exit: "unavailable",
      hint: "Use ./syla from its folder.",
    });
  const child = spawn(process.execPath, [file, "--attached", ...words], { env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  let last: Line | undefined;
  for await (const text of createInterface({ input: child.stdout })) {
    last = JSON.parse(text) as Line;
    onLine(last);
  }
  const code = await ended;
  if (last === undefined || complaint !== "" || code === null) throw failed(complaint, code, failure);
  return { last, code };
}

function failed(complaint: string, code: number | null, failure: OfflineWork["failure"]): CliError {
  const [, name = failure.code, message = complaint.trim() || "It ended without a word."] =
    /^syla: ([a-z_]+): (.+)$/m.exec(complaint) ?? [];
  const exit = (Object.keys(exitCodes) as ExitReason[]).find((reason) => exitCodes[reason] === code) ?? "internal";
  return new CliError(message, { code: name, exit, hint: failure.hint });
}
