import type { Control } from "./config-shape.ts";

/** A value of a form as text. */
export function writeValue(control: Control, value: unknown): string {
  if (value === undefined || (value === null && control !== "json")) return "";
  if (control === "lines" && Array.isArray(value)) return value.join("\n");
  if (control === "pairs" && typeof value === "object")
    return Object.entries(value ?? {})
      .map(([name, of]) => `${name}: ${String(of)}`)
      .join("\n");
  if (control === "json") return JSON.stringify(value, null, 2);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What was typed, as the value that it means; undefined: nothing. */
export type Typed = { readonly value: unknown; readonly problem?: undefined } | { readonly problem: string };

/** Reads what was typed into a field. */
export function readValue(control: Control, text: string): Typed {
  switch (control) {
    case "number": {
      if (text.trim() === "") return { value: undefined };
      const value = Number(text);
      return Number.isFinite(value) ? { value } : { problem: "It must be a number." };
    }
    case "lines":
      return { value: text.split("\n").filter((line) => line.trim() !== "") };
    case "pairs":
      return readPairs(text);
    case "json":
      if (text.trim() === "") return { value: undefined };
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { problem: "It must be JSON: texts are in quotes." };
      }
    default:
      return { value: text };
  }
}

function readPairs(text: string): Typed {
  const pairs: Record<string, string> = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, name, value] = /^\s*([^:\s]+)\s*:\s?(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return { problem: `Line ${index + 1} is not of the form Name: value.` };
    Object.defineProperty(pairs, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return { value: pairs };
}
