import { loadConfig } from "./config.ts";
import { createLogger } from "./platform/logger.ts";
import { startServer, type RunningServer } from "./server.ts";
import { describeStartFailure } from "./start-failure.ts";

/** Starts, runs until a signal or a failure, and stops. Exit code 0 after a signal. */
async function main(): Promise<number> {
  const config = loadConfig();
  const logger = createLogger(config.logLevel);
  const early = Promise.withResolvers<NodeJS.Signals>();
  const onEarly = (signal: NodeJS.Signals) => early.resolve(signal);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, onEarly);

  const server = await startServer(config, logger);
  if (config.workerSlots > 0)
    server.context.runs.rehearse().catch((error: unknown) => logger.warn({ err: error }, "no program could be run ahead of the first one"));
  const reason = await Promise.race([early.promise, server.failed.catch((error: unknown) => error)]);
  if (typeof reason !== "string") logger.fatal({ err: reason }, "the server failed");
  await stop(server);
  return typeof reason === "string" ? 0 : 70;
}

/** A second signal ends the wait for the work in hand. */
async function stop(server: RunningServer): Promise<void> {
  const again = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => again.resolve());
  }
  await Promise.race([server.stop(), again.promise.then(() => server.stopNow())]);
}

try {
  process.exit(await main());
} catch (error) {
  const { line, exitCode } = describeStartFailure(error);
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}
