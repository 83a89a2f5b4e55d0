import { AppError } from "@syla/contracts/errors";
import { ProtocolError, RefusalError, SessionEndedError } from "@syla/sandbox/session-channel";
import { PortUnreachableError } from "@syla/sandbox/relay/relay-server";
import { ContextBusyError } from "@syla/sandbox/session";
import { SandboxError } from "@syla/sandbox/spec";

/** Does something in a session; what it fails with becomes a coded error. */
export async function inSession<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toSessionError(error);
  }
}

export function toSessionError(error: unknown): unknown {
  if (error instanceof SessionEndedError || error instanceof ProtocolError) return new AppError("sandbox_ended", { cause: error });
  if (error instanceof PortUnreachableError) return new AppError("port_unreachable", { cause: error });
  if (error instanceof SandboxError) return new AppError("sandbox_unavailable", { message: `${error.message}.`, cause: error });
  if (error instanceof ContextBusyError)
    return new AppError("conflict", { message: `${error.message}.`, hint: "Wait until some of them are done." });
  if (!(error instanceof RefusalError)) return error;
  const { code, message } = error;
  if (code === "ENOENT") return new AppError("path_not_found", { cause: error });
  if (code === "EEXIST") return new AppError("path_exists", { cause: error });
  if (code === "ESRCH") return new AppError("not_found", { message: "There is no such process.", cause: error });
  return new AppError("path_refused", { message: `The sandbox refuses this: ${message} (${code}).`, details: { code }, cause: error });
}
