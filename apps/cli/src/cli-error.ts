/** Why the CLI itself could not do what it was asked. The numbers are those of sysexits.h; docs/cli.md lists them. */
export const exitCodes = {
  usage: 64,
  invalid_request: 65,
  no_input: 66,
  unavailable: 69,
  internal: 70,
  cannot_create: 73,
  try_later: 75,
  no_permission: 77,
  config: 78,
} as const;

/** A name in {@link exitCodes}. */
export type ExitReason = keyof typeof exitCodes;

interface CliErrorFields {
  readonly code: string;
  readonly exit: ExitReason;
  readonly hint: string;
  readonly cause?: unknown;
}

/** Something that went wrong on this side of the connection: a file, a flag, a setting, the local server's process. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string;

  constructor(message: string, fields: CliErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.exitCode = exitCodes[fields.exit];
    this.hint = fields.hint;
  }
}

/** A flag or an argument that makes no sense. */
export function usageError(message: string, hint = "`syla help` lists the commands, `syla COMMAND --help` the options of one."): CliError {
  return new CliError(message, { code: "usage", exit: "usage", hint });
}
