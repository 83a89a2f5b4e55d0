import type { FlowBody } from "@syla/contracts/flow";
import { parseType } from "@syla/flow/type-parser";
import type { FlowType } from "@syla/flow/types";

/** How a value for an input is asked for. */
export interface RunInput {
  readonly name: string;
  readonly type: string;
  readonly control: "text" | "number" | "boolean" | "choice" | "json";
  readonly choices: readonly string[];
  readonly isRequired: boolean;
  readonly description: string;
  /** What is shown when nothing was typed yet. */
  readonly start: string;
}

function controlOf(type: FlowType): Pick<RunInput, "control" | "choices"> {
  const none: readonly string[] = [];
  if (type.kind === "text") return { control: "text", choices: none };
  if (type.kind === "integer" || type.kind === "number") return { control: "number", choices: none };
  if (type.kind === "boolean") return { control: "boolean", choices: none };
  if (type.kind === "literal") return { control: "choice", choices: [JSON.stringify(type.value)] };
  if (type.kind === "union") {
    const others = type.members.filter(({ kind }) => kind !== "none");
    if (others.length === 1 && others[0] !== undefined && others.length < type.members.length) return controlOf(others[0]);
    if (others.every((member) => member.kind === "literal"))
      return { control: "choice", choices: others.map((member) => JSON.stringify(member.value)) };
  }
  return { control: "json", choices: none };
}

/** What a composition asks for before it runs. */
export function runInputs(body: FlowBody): RunInput[] {
  return body.nodes.flatMap((node): RunInput[] => {
    if (node.kind !== "input") return [];
    const { name, type, description, default: otherwise } = node.config;
    const { control, choices } = controlOf(parseType(type));
    const start =
      otherwise === undefined ? "" : control === "text" && typeof otherwise === "string" ? otherwise : JSON.stringify(otherwise);
    return [{ name, type, control, choices, isRequired: otherwise === undefined, description, start }];
  });
}

/** The values that a run is given, or what is wrong with each that is none. */
export interface ReadInputs {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: Readonly<Record<string, string>>;
}

/** Reads what was typed. An input that may be left out is left out when nothing was. */
export function readInputs(inputs: readonly RunInput[], typed: Readonly<Record<string, string>>): ReadInputs {
  const values: [string, unknown][] = [];
  const problems: [string, string][] = [];
  for (const input of inputs) {
    const text = typed[input.name] ?? input.start;
    if (text === "" && !input.isRequired) continue;
    const read = readInput(input, text);
    if (read.problem === undefined) values.push([input.name, read.value]);
    else problems.push([input.name, read.problem]);
  }
  return { values: Object.fromEntries(values), problems: Object.fromEntries(problems) };
}

function readInput({ control, type }: RunInput, text: string): { value?: unknown; problem?: string } {
  if (control === "text") return { value: text };
  if (control === "boolean") return { value: text === "true" };
  if (text.trim() === "") return { problem: "It is needed." };
  if (control === "number") {
    const value = Number(text);
    if (!Number.isFinite(value)) return { problem: "It must be a number." };
    return parseType(type).kind === "integer" && !Number.isInteger(value) ? { problem: "It must be a whole number." } : { value };
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: "It must be JSON: texts are in quotes." };
  }
}
