import type { ContextEvent, ProcessExit, ProcessSpec, Session, SessionContext } from "../src/session.ts";
import type { SandboxLimits, SessionSpec, Tier } from "../src/spec.ts";
import { mebibyte, python } from "./sandbox-driver.ts";

/** Opens sessions for tests and does things in them. */

const sessionRuntime = { ...python, mounts: [{ source: process.execPath, target: "/opt/runtimes/node/node" }] };
const limits: SandboxLimits = {
  wallMs: 300_000,
  cpus: 2,
  memoryBytes: 1024 * mebibyte,
  processes: 300,
  openFiles: 1024,
  diskBytes: 3000 * mebibyte,
  outputBytes: 1024,
};

export type OpenSession = Session & AsyncDisposable;

/** A session with everything ordinary but what `wish` says. Dispose it. */
export async function openSession(
  tier: Tier,
  wish: Partial<Omit<SessionSpec, "limits">> & { limits?: Partial<SandboxLimits> } = {},
): Promise<OpenSession> {
  const session = await tier.open({
    tenant: "tenant",
    runtime: sessionRuntime,
    env: {},
    files: [],
    ...wish,
    limits: { ...limits, ...wish.limits },
  });
  return Object.assign(session, { [Symbol.asyncDispose]: () => session.end() });
}

export interface ShellResult extends ProcessExit {
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export async function shell(session: Session, command: ProcessSpec["command"], options: Partial<ProcessSpec> = {}): Promise<ShellResult> {
  const process = await session.start({ command, ...options });
  const streams = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for await (const { stream, data } of process.output) streams[stream].push(data);
  return { ...(await process.exit), out: Buffer.concat(streams.stdout).toString(), err: Buffer.concat(streams.stderr).toString() };
}

/** What a piece of code tells, with its output as text. */
export async function evaluate(context: SessionContext, code: string): Promise<(Exclude<ContextEvent, { type: "output" }> | string)[]> {
  const told = [];
  for await (const event of context.run(code)) told.push(event.type === "output" ? event.data.toString() : event);
  return told;
}

/** The text of the last expression. */
export async function valueOf(context: SessionContext, code: string): Promise<unknown> {
  const result = (await evaluate(context, code)).find((event) => typeof event !== "string" && event.type === "result");
  return typeof result === "object" && result.type === "result" ? result.data["text/plain"] : undefined;
}
