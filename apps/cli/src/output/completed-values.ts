import type { Argument, Command, Option } from "commander";

/** Things that are asked for when a value is completed. */
export const valueKinds = ["profiles", "runs", "workspaces", "runtimes", "sandboxes", "templates", "plugins"] as const;
export type ValueKind = (typeof valueKinds)[number];

/** What may stand where a value is wanted: words, or things that have to be asked for. */
export type Values = { readonly words: readonly string[] } | { readonly kind: ValueKind };

const optionKinds: Readonly<Record<string, ValueKind>> = {
  "--profile": "profiles",
  "--language": "runtimes",
  "--workspace": "workspaces",
  "--template": "templates",
};

const argumentKinds: Readonly<Record<string, ValueKind>> = {
  run: "runs",
  runs: "runs",
  before: "runs",
  after: "runs",
  workspace: "workspaces",
  sandbox: "sandboxes",
  sandboxes: "sandboxes",
  template: "templates",
  plugin: "plugins",
};

/** What completes the value of an option; null: nothing but files. */
export function valuesOfOption({ long, argChoices }: Option): Values | null {
  if (argChoices !== undefined && argChoices.length > 0) return { words: argChoices };
  const kind = Object.hasOwn(optionKinds, long ?? "") ? optionKinds[long ?? ""] : undefined;
  return kind === undefined ? null : { kind };
}

/** What completes the arguments of a command: what its first one is. */
export function valuesOfArguments(command: Command, path: string): Values | null {
  const [first] = command.registeredArguments;
  if (first === undefined) return null;
  if (first.argChoices !== undefined && first.argChoices.length > 0) return { words: first.argChoices };
  const kind = kindOfArgument(first, path);
  return kind === null ? null : { kind };
}

/** `ids` are of what the noun says. */
function kindOfArgument(argument: Argument, path: string): ValueKind | null {
  const name = argument.name();
  const word = name === "ids" || name === "id" ? (path.split(" ")[0] ?? "") : name;
  return Object.hasOwn(argumentKinds, word) ? (argumentKinds[word] ?? null) : null;
}
