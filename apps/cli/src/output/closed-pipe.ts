/** What a shell reports for a command that SIGPIPE has ended. */
export const closedPipeExitCode = 141;

let cleanUp: () => Promise<unknown> = () => Promise.resolve();

/** What is still to be done when nobody reads our output any more. */
export function onClosedPipe(action: () => Promise<unknown>): void {
  cleanUp = action;
}

/** Makes `syla … | head` end quietly, as other programs do. */
export function endOnClosedPipe(): void {
  const end = (error: unknown) => {
    if (!isClosedPipe(error)) throw error;
    void cleanUp()
      .catch(() => undefined)
      .then(() => process.exit(closedPipeExitCode));
  };
  process.stdout.on("error", end);
  process.stderr.on("error", end);
}

/** Whether an error only says that the reader of our output has gone. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
