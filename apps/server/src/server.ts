import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { localUrl, type Config } from "./config.ts";
import { openContext, type Context, type ContextOptions } from "./context.ts";
import { writePrivateFile } from "./platform/data-directory.ts";
import type { Logger } from "./platform/logger.ts";
import { registerRoutes } from "./routes.ts";

/** A server that answers. */
export interface RunningServer {
  readonly context: Context;
  /** The address for this machine. */
  readonly url: string;
  /** The one-time link, as long as nobody has been set up. */
  readonly setupUrl: string | undefined;
  /** Rejects when a part of the server fails for good. */
  readonly failed: Promise<never>;
  /** Refuses new work, waits for the work in hand, at most `drainSeconds`, and closes everything. */
  stop(): Promise<void>;
  /** Closes everything without waiting for the work in hand. */
  stopNow(): Promise<void>;
}

/** What tests ask for. */
export interface StartOptions {
  /** Compares every JSON answer with the contracts. */
  readonly checkAnswers?: boolean;
  /** Spares asking the languages' binaries for their versions again; what was asked is added. */
  readonly knownVersions?: Map<string, string>;
  /** How long a worker is believed to live that says nothing. */
  readonly leaseMs?: number;
  /** How many sandboxes are made ahead, and what they are made of. */
  readonly sandboxes?: NonNullable<ContextOptions["sandboxes"]>;
  /** How long a part may take to stop, ms. A stop that hangs must not keep the server from ending. */
  readonly stopMs?: number;
}

/**
 * Starts a server and writes `server.json` when it answers.
 *
 * @throws AppError with the code of what is wrong
 */
export async function startServer(configured: Config, logger: Logger, options: StartOptions = {}): Promise<RunningServer> {
  const { stopMs = 10_000, ...contextOptions } = options;
  await using held = configured.port === 0 ? await holdFreePort(configured.host) : null;
  const port = held?.port ?? configured.port;
  const url = localUrl(configured, port);
  const config = { ...configured, port, publicUrl: configured.publicUrl ?? url };
  let announce = (): void => undefined;
  const context = await openContext({ config, logger, onSetup: () => announce(), ...contextOptions });
  const setupUrl = () =>
    context.accounts.setupToken === undefined ? undefined : `${config.publicUrl}/setup?token=${context.accounts.setupToken}`;
  try {
    registerRoutes(context);
    await held?.[Symbol.asyncDispose]();
    await context.http.listen(config.host, port);
    await context.previews.listen();
    const startedAt = new Date().toISOString();
    announce = () =>
      writePrivateFile(
        context.directory.serverFile,
        `${JSON.stringify({ pid: process.pid, url, version: context.version, startedAt, setupUrl: setupUrl() })}\n`,
      );
    announce();
  } catch (error) {
    await context.close();
    throw error;
  }
  const failed = runServices(context);
  logger.info({ url, version: context.version }, "ready");
  let closing: Promise<void> | undefined;
  const hurry = Promise.withResolvers<void>();
  const stopNow = () => {
    hurry.resolve();
    return (closing ??= closeAll(context, stopMs));
  };
  return {
    context,
    url,
    get setupUrl() {
      return setupUrl();
    },
    failed,
    stopNow,
    async stop() {
      context.state.draining = true;
      context.http.stopAccepting();
      logger.info("draining");
      const drained = Promise.allSettled(context.services.map((service) => service.drain()));
      const timer = new AbortController();
      const waited = sleep(config.drainSeconds * 1000, undefined, { signal: timer.signal }).catch(() => undefined);
      await Promise.race([drained, hurry.promise, waited]);
      timer.abort();
      await stopNow();
    },
  };
}

function runServices(context: Context): Promise<never> {
  const failed = new Promise<never>((_resolve, reject) => {
    for (const service of context.services) {
      service.run().catch((error: unknown) => reject(new Error(`the service ${service.name} failed`, { cause: error })));
    }
  });
  failed.catch(() => undefined);
  return failed;
}

/** All parts together get half as much again as one of them, and so does closing what they rest on: where several hang, so does not the server. */
async function closeAll(context: Context, stopMs: number): Promise<void> {
  const { logger, services, state, directory } = context;
  state.draining = true;
  rmSync(directory.serverFile, { force: true });
  const until = performance.now() + 1.5 * stopMs;
  for (const service of services) {
    const leftMs = Math.max(0, until - performance.now());
    const failed = await failureWithin(Math.min(stopMs, leftMs), service.stop());
    if (failed !== undefined) logger.warn({ err: failed, service: service.name }, "a part did not stop cleanly");
  }
  const failed = await failureWithin(1.5 * stopMs, context.close());
  if (failed !== undefined) logger.warn({ err: failed }, "not everything was closed cleanly");
  logger.info("stopped");
}

/** Waits for an end, at most so long. @returns why it was not clean, or undefined */
async function failureWithin(ms: number, end: Promise<void>): Promise<unknown> {
  const timer = new AbortController();
  const timeout = sleep(ms, new Error(`no end after ${Math.round(ms)} ms`), { signal: timer.signal }).catch(() => undefined);
  const result = await Promise.race([end.catch((error: unknown) => error), timeout]);
  timer.abort();
  return result;
}

/** The port has to be known before anything that prints it. Nobody else gets it until it is let go, which is right before it is used. */
function holdFreePort(host: string): Promise<{ readonly port: number } & AsyncDisposable> {
  return new Promise((resolve, reject) => {
    const holder = createServer();
    holder.once("error", reject);
    holder.listen(0, host, () => {
      const address = holder.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve({ port, [Symbol.asyncDispose]: () => new Promise((done) => holder.close(() => done())) });
    });
  });
}
