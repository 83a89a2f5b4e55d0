import { CliError, exitCodes, type ExitReason } from "../cli-error.ts";
import { formatLogLine, readLinesFrom, serverLogFile } from "./server-log.ts";

/** What the server says last when it cannot start: `syla: code: what, why and what next`. */
const coded = /^syla: ([a-z_]+): (.+)$/;

/** Codes that only make sense with what was logged before. */
const needContext = new Set(["internal", "postgres_unavailable"]);

const logHint = "`syla server logs` shows the whole log, `syla doctor` what this machine lacks.";

/** Why a server did not come up, from what it wrote to its log since `logStart`, and the code that it exited with. */
export function describeStartFailure(why: string, dataDir: string, logStart: number, exitCode: number | null): CliError {
  const lines = readLinesFrom(serverLogFile(dataDir), logStart).slice(-12);
  const [, code, message] = coded.exec(lines.at(-1) ?? "") ?? [];
  const exit = (Object.keys(exitCodes) as ExitReason[]).find((reason) => exitCodes[reason] === exitCode) ?? "unavailable";
  if (code !== undefined && message !== undefined && !needContext.has(code)) {
    return new CliError(`The local server could not be started: ${message}`, { code, exit, hint: logHint });
  }
  const said = lines.length === 0 ? "It wrote nothing to its log." : `The end of its log:\n${lines.map(formatLogLine).join("\n")}`;
  const hint = `Correct what the log says and try again. ${logHint}`;
  return new CliError(`The local server could not be started: ${why}. ${said}`, { code: code ?? "server_start_failed", exit, hint });
}
