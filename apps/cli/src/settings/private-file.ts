import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CliError } from "../cli-error.ts";

/** The JSON object in a file; empty when there is no file. */
export function readJsonFile(file: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`, {
      code: "config_unreadable",
      exit: "config",
      hint: "Check who owns it.",
      cause: error,
    });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // reported below
  }
  throw new CliError(`${file} is not a JSON object.`, {
    code: "config_invalid",
    exit: "config",
    hint: "Correct it, or delete it to start afresh.",
  });
}

/**
 * Makes a folder and those above it. Node's own `recursive` never returns where a folder can be neither made nor found, as in
 * /proc.
 */
export function makeFolder(folder: string, mode = 0o777): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder), mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Writes a JSON file that only its owner can read. A reader sees the old content or the new, never a part. */
export function writeJsonFile(file: string, value: Readonly<Record<string, unknown>>): void {
  writePrivateFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** The same of any text. @throws CliError */
export function writePrivateFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    makeFolder(dirname(file), 0o700);
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    const hint = "SYLA_HOME names another folder for everything that Syla writes.";
    throw new CliError(`${file} cannot be written: ${(error as Error).message}`, {
      code: "cannot_write",
      exit: "cannot_create",
      hint,
      cause: error,
    });
  }
}
