import type { Command } from "commander";

/** Shells that a completion script can be made for. */
export const shells = ["bash", "zsh", "fish"] as const;

interface Entry {
  /** The words that lead here: `runs list`, or empty for the top. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly { readonly names: readonly string[]; readonly summary: string; readonly takesValue: boolean }[];
}

/** A completion script for the commands and flags of a program; where neither fits, files are offered. */
export function renderCompletion(shell: (typeof shells)[number], program: Command): string {
  const entries = describe(program, "");
  if (shell === "fish") return renderFish(entries);
  return shell === "bash" ? renderBash(entries) : `#compdef syla\nautoload -U +X bashcompinit && bashcompinit\n${renderBash(entries)}`;
}

function describe(command: Command, path: string): Entry[] {
  const visible = command.createHelp().visibleCommands(command);
  const entry: Entry = {
    path,
    commands: visible.map((child) => ({ name: child.name(), summary: child.description() })),
    flags: command.options
      .filter((option) => !option.hidden)
      .map((option) => ({
        names: [option.short, option.long].filter((name) => name !== undefined),
        summary: option.description,
        takesValue: option.required,
      })),
  };
  return [entry, ...command.commands.flatMap((child) => describe(child, path === "" ? child.name() : `${path} ${child.name()}`))];
}

function renderBash(entries: readonly Entry[]): string {
  const cases = entries.map(({ path, commands, flags }) => {
    const words = [...commands.map((command) => command.name), ...flags.flatMap((flag) => flag.names), "--help"];
    return `    "${path}") words="${words.join(" ")}" ;;`;
  });
  return `_syla() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${entries
  .filter((entry) => entry.path !== "")
  .map((entry) => `      "${parentOf(entry.path)} ${entry.path.split(" ").at(-1)}") path="${entry.path}" ;;`)
  .join("\n")}
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _syla syla ./syla
`;
}

function parentOf(path: string): string {
  return path.split(" ").slice(0, -1).join(" ");
}

function renderFish(entries: readonly Entry[]): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = entries.flatMap(({ path, commands, flags }) => {
    const children = commands.map((command) => command.name).join(" ");
    const here = path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1)}`;
    const condition = path === "" || children === "" ? here : `${here}; and not __fish_seen_subcommand_from ${children}`;
    return [
      ...commands.map((command) => `complete -c syla -f -n ${quote(condition)} -a ${command.name} -d ${quote(command.summary)}`),
      ...flags.map((flag) => {
        const names = flag.names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
        return `complete -c syla -n ${quote(condition)} ${names}${flag.takesValue ? " -r" : ""} -d ${quote(flag.summary)}`;
      }),
    ];
  });
  return `${lines.join("\n")}\n`;
}
