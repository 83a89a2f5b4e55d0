import type { AnalysedCall, AnalysedDependency, AnalysedSlot, Analysis, AnalysisDocument, AnalysisProblem } from "@syla/sdk";
import { type Column, printLine, printTable } from "../output/print.ts";
import { style } from "../output/style.ts";
import { plainLine } from "../output/terminal-text.ts";

/** An analysis for people: a table for each part. In a pipe every line begins with the part that it belongs to. */
export function printAnalysis(analysis: Analysis): void {
  const { entrypoints, dependencies, pythonVersions, slots, calls, secrets, variables, problems, leftOut } = analysis;
  printPart("python", "Python", pythonVersions, leftOut.pythonVersions, [
    { title: "version", value: (wanted) => plainLine(wanted.constraint) },
    { title: "from", value: placeOf },
  ]);
  printPart("entrypoint", "Entrypoints", entrypoints, leftOut.entrypoints, [
    { title: "kind", value: ({ kind }) => kind },
    { title: "target", value: ({ target, name }) => plainLine(target ?? name) },
    { title: "sure", value: ({ confidence }) => `${Math.round(confidence * 100)} %`, align: "right" },
    { title: "why", value: ({ reason }) => plainLine(reason) },
    { title: "in", value: placeOf },
  ]);
  printPart("dependency", "Dependencies", dependencies, leftOut.dependencies, [
    { title: "package", value: describePackage },
    { title: "version", value: ({ constraint, url }) => plainLine(constraint ?? url ?? "any") },
    { title: "when", value: ({ group, marker }) => plainLine([group, marker].filter((part) => part !== null).join("; ") || "always") },
    { title: "source", value: ({ source }) => source },
    { title: "in", value: placeOf },
  ]);
  printSlots({ slots, leftOut });
  printPart("call", "Uses of mellea", calls, leftOut.calls, [
    { title: "what", value: ({ name, certain }) => plainLine(certain ? name : `${name} (likely)`) },
    { title: "of", value: describeCall },
    { title: "within", value: ({ within }) => plainLine(within ?? "") },
    { title: "in", value: placeOf },
  ]);
  printPart("secret", "Looks secret", secrets, leftOut.secrets, [
    { title: "why", value: ({ reason }) => plainLine(reason) },
    { title: "in", value: placeOf },
  ]);
  printPart("variable", "Environment variables", variables, leftOut.variables, [
    { title: "name", value: ({ name }) => plainLine(name) },
    { title: "needed", value: ({ required }) => (required ? "yes" : "maybe") },
    { title: "in", value: placeOf },
  ]);
  printPart("problem", "Problems", problems, leftOut.problems, [
    { title: "severity", value: ({ severity }) => style(process.stdout, severityFormats[severity], severity) },
    { title: "what", value: ({ message }) => plainLine(message) },
    { title: "in", value: placeOf },
  ]);
  printSummary(analysis);
}

/** The slots of an analysis alone. */
export function printSlots({ slots, leftOut }: Pick<AnalysisDocument, "slots" | "leftOut">): void {
  printPart("slot", "Slots", slots, leftOut.slots, [
    { title: "slot", value: describeSlot },
    { title: "callable", value: ({ callable }) => style(process.stdout, callable ? "green" : "yellow", callable ? "yes" : "no") },
    { title: "why not", value: ({ reason }) => plainLine(reason ?? "") },
    { title: "in", value: placeOf },
  ]);
}

const severityFormats = { error: "red", warning: "yellow", info: "blue" } as const satisfies Record<AnalysisProblem["severity"], string>;

function printPart<T>(label: string, heading: string, rows: readonly T[], leftOut: number, columns: readonly Column<T>[]): void {
  if (rows.length === 0) return;
  const isPiped = !process.stdout.isTTY;
  if (!isPiped) printLine(style(process.stdout, "bold", heading));
  printTable(isPiped ? [{ title: "", value: () => label }, ...columns] : columns, rows);
  if (!isPiped) printLine(leftOut > 0 ? `and ${leftOut} more\n` : "");
}

function printSummary({ files, complete, interpreter, cached }: Analysis): void {
  if (!process.stdout.isTTY) return;
  const parts = [`${files.total} files`, `read with Python ${plainLine(interpreter)}`];
  if (cached) parts.push("the same as before");
  if (!complete) parts.push(style(process.stdout, "yellow", `${files.unread} files were not read: there was no time`));
  printLine(parts.join(", "));
}

interface Place {
  readonly file: string | null;
  readonly line: number | null;
  readonly column?: number | null;
  readonly cell?: number | null;
}

/** `file:line:column`, as editors take it; the cell of a notebook between them. */
function placeOf({ file, line, column, cell }: Place): string {
  const parts = [file ?? "", ...(typeof cell === "number" ? [`cell ${cell}`] : []), line, line === null ? null : column];
  return plainLine(parts.filter((part) => part !== null && part !== undefined && part !== "").join(":"));
}

function describePackage({ name, extras }: AnalysedDependency): string {
  return plainLine(extras.length === 0 ? name : `${name}[${extras.join(",")}]`);
}

function describeSlot({ name, kind, arguments: given, returns }: AnalysedSlot): string {
  const words = given.map((argument) => (argument.type === null ? argument.name : `${argument.name}: ${argument.type}`));
  return plainLine(`${kind === "async" ? "async " : ""}${name}(${words.join(", ")})${returns === null ? "" : ` -> ${returns}`}`);
}

function describeCall(call: AnalysedCall): string {
  const model = [call.backend, call.modelId].filter((part) => part !== null).join(" ");
  const needs = call.requirements.length === 0 ? "" : ` [${call.requirements.length} requirements]`;
  const text = call.slot ?? call.text ?? (call.kind === "session" || call.kind === "backend" ? model : "");
  const shown = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return plainLine(`${shown}${needs}${call.strategy === null ? "" : ` by ${call.strategy}`}`);
}
