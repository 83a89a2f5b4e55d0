import { SylaConnectionError, SylaError } from "@syla/sdk";
import { CliError, exitCodes } from "../cli-error.ts";
import { printJson } from "./print.ts";
import { style } from "./style.ts";
import { plainLine } from "./terminal-text.ts";

/** An error as every command reports it, with `--json` and without. */
export interface ErrorReport {
  /** `request`: what was asked is wrong; `denied`: not allowed; `infrastructure`: our side, or the way there. */
  readonly class: "request" | "denied" | "infrastructure";
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly requestId: string | null;
  readonly fields: readonly { readonly path: string; readonly message: string }[];
}

/** What to say about an error, and what to exit with. */
export function describeError(error: unknown): { report: ErrorReport; exitCode: number } {
  if (error instanceof CliError) {
    const ours = error.exitCode === exitCodes.unavailable || error.exitCode === exitCodes.internal;
    return {
      exitCode: error.exitCode,
      report: {
        class: ours ? "infrastructure" : "request",
        code: error.code,
        message: error.message,
        hint: error.hint,
        requestId: null,
        fields: [],
      },
    };
  }
  if (error instanceof SylaError) {
    const { code, message, hint, requestId, fields } = error;
    return { exitCode: exitCodeOf(error), report: { class: classOf(error), code, message, hint, requestId, fields } };
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = "This is a fault of the command line; SYLA_DEBUG=1 shows where.";
  return {
    exitCode: exitCodes.internal,
    report: { class: "infrastructure", code: "internal", message, hint, requestId: null, fields: [] },
  };
}

function classOf(error: SylaError): ErrorReport["class"] {
  if (error.status === 401 || error.status === 403) return "denied";
  return error.status >= 400 && error.status < 500 && error.status !== 429 && error.code !== "unexpected_answer"
    ? "request"
    : "infrastructure";
}

function exitCodeOf(error: SylaError): number {
  if (error instanceof SylaConnectionError || error.code === "unexpected_answer") return exitCodes.unavailable;
  if (error.status === 401 || error.status === 403) return exitCodes.no_permission;
  if (error.status === 429 || error.status === 503) return exitCodes.try_later;
  if (error.status === 404) return exitCodes.no_input;
  return error.status < 500 ? exitCodes.invalid_request : exitCodes.internal;
}

/** Prints what went wrong, why, and what to do next, on stderr; or one JSON document on stdout. */
export function reportError(error: unknown, json: boolean): number {
  const { report, exitCode } = describeError(error);
  if (process.env["SYLA_DEBUG"]) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  if (json) printJson({ error: report });
  else process.stderr.write(renderError(report));
  return exitCode;
}

/** An error as lines for a person. */
export function renderError(report: ErrorReport): string {
  const message = report.message.split("\n").map(plainLine).join("\n  ");
  const lines = [`${style(process.stderr, "red", "syla:")} ${message} ${style(process.stderr, "dim", `(${plainLine(report.code)})`)}`];
  for (const field of report.fields) lines.push(`  ${plainLine(`${field.path}: ${field.message}`)}`);
  for (const line of report.hint.split("\n")) if (line !== "") lines.push(`  ${plainLine(line)}`);
  if (report.requestId !== null && report.class === "infrastructure") lines.push(`  request ${plainLine(report.requestId)}`);
  return `${lines.join("\n")}\n`;
}
