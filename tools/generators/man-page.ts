import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildProgram } from "../../apps/cli/src/program.ts";
import { environmentVariables } from "../../apps/cli/src/root-command.ts";
import { repositoryRoot } from "../source-files.ts";
import type { GeneratedFile } from "./generated-file.ts";

type Command = ReturnType<typeof buildProgram>;

const files: readonly (readonly [string, string])[] = [
  ["~/.syla/config.toml", "profiles, and which of them is used"],
  ["~/.syla/plugins/", "plugins that were installed"],
  ["~/.syla/data/", "what the server of this machine keeps"],
  [".syla.yml", "how a folder is run; looked for in the folder of a program and above"],
];

const exitStatus: readonly (readonly [string, string])[] = [
  ["0", "done"],
  ["124", "`syla exec`, `run`: the time limit ended the program"],
  ["128+n", "`syla exec`, `run`: the signal n ended the program"],
  ["130", "`syla exec`, `run`: the run was cancelled"],
  ["64", "the command line is wrong"],
  ["65", "the server refused what was asked"],
  ["66", "a file or a run is not there or cannot be read"],
  ["69", "no server answers, it cannot be started, or something has to be installed first"],
  ["70", "Syla failed"],
  ["73", "a file cannot be written"],
  ["75", "try again later"],
  ["77", "not signed in, or not allowed"],
  ["78", "a setting or a profile is wrong"],
];

/** `docs/man/syla.gen.1`: the manual page, of the commands themselves, as their `--help` is. */
export function generateManPage(): GeneratedFile {
  const program = buildProgram();
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { readonly version: string };
  const lines = [
    `.TH SYLA 1 "" "syla ${escapeText(version)}" "User Commands"`,
    ".SH NAME",
    "syla \\- run programs in sandboxes, on this machine or on a server",
    ".SH SYNOPSIS",
    ".B syla",
    ".I command",
    "[\\fIoptions\\fR] [\\fIarguments\\fR]",
    ".SH DESCRIPTION",
    escapeLine(program.description()),
    "`syla exec` runs a file, a folder or standard input in a sandbox, and exits with its exit code; the other commands",
    "keep programs, models, datasets and workspaces, and tell of what was run.",
    ".SH COMMANDS",
    ...program.commands.flatMap((command) => describeCommand(command, ["syla"])),
    ".SH ENVIRONMENT",
    ...describeTerms(environmentVariables),
    ".SH EXIT STATUS",
    "`syla exec` and `run` exit with the program's own code.",
    ...describeTerms(exitStatus),
    ".SH FILES",
    ...describeTerms(files),
  ];
  return { path: "docs/man/syla.gen.1", content: `${lines.join("\n")}\n` };
}

function describeCommand(command: Command, parents: readonly string[]): string[] {
  const path = [...parents, command.name()];
  const help = command.createHelp();
  const children = help.visibleCommands(command).filter((child) => child.name() !== "help");
  if (children.length > 0) return children.flatMap((child) => describeCommand(child, path));
  const options = help.visibleOptions(command).filter((option) => option.long !== "--help");
  return [
    `.SS "${escapeText([...path, help.commandUsage(command).replace(/^.*?(?=\[options\])/, "")].join(" "))}"`,
    escapeLine(command.description()),
    ...describeTerms(help.visibleArguments(command).map((argument) => [help.argumentTerm(argument), help.argumentDescription(argument)])),
    ...describeTerms(options.map((option) => [help.optionTerm(option), help.optionDescription(option)])),
  ];
}

function describeTerms(terms: readonly (readonly [string, string])[]): string[] {
  return terms.flatMap(([term, text]) => [".TP", `\\fB${escapeText(term)}\\fR`, escapeLine(text)]);
}

/** Text within a line. */
function escapeText(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll('"', "\\(dq");
}

/** Text as a line of its own, which must not begin like a request. */
function escapeLine(text: string): string {
  return escapeText(text.replaceAll(/\s+/g, " ").trim()).replace(/^[.']/, "\\&$&");
}
