import { CliError } from "../cli-error.ts";

/** The server went away while we followed a run. What became of the run is not known. */
export class LostRunError extends CliError {
  readonly runId: string;

  constructor(runId: string, cause: Error) {
    super(`The server went away while ${runId} ran. ${cause.message}`, {
      code: "connection_lost",
      exit: "unavailable",
      hint: `When it is back, \`syla runs show ${runId}\` tells how the run ended.`,
      cause,
    });
    this.runId = runId;
  }
}
