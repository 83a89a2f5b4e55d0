import { pino, type Logger as PinoLogger } from "pino";

/** Structured log: one JSON document a line on stdout. */
export type Logger = PinoLogger;

/** How much is logged. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** The process's logger. Headers that carry credentials are cut out even when a whole request is logged by mistake. */
export function createLogger(level: LogLevel): Logger {
  return pino({
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ["headers.authorization", "headers.cookie", "*.headers.authorization", "*.headers.cookie", "password", "*.password"],
      censor: "[secret]",
    },
  });
}
