import type { Command } from "commander";
import { type Values, valuesOfArguments, valuesOfOption } from "./completed-values.ts";

/** Shells that a completion script can be made for. */
export const shells = ["bash", "zsh", "fish"] as const;

interface Entry {
  /** The words that lead here: `runs list`, or empty for the top. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly {
    readonly names: readonly string[];
    readonly summary: string;
    readonly takesValue: boolean;
    readonly values: Values | null;
  }[];
  readonly values: Values | null;
}

/** Commands that are not of the program itself. */
interface Extra {
  readonly name: string;
  readonly summary: string;
}

/** A completion script for the commands, flags and values of a program; where none fits, files are offered. */
export function renderCompletion(shell: (typeof shells)[number], program: Command, extras: readonly Extra[] = []): string {
  const [top, ...others] = describe(program, "");
  const entries = top === undefined ? [] : [{ ...top, commands: [...top.commands, ...extras] }, ...others];
  if (shell === "fish") return renderFish(entries);
  return shell === "bash" ? renderBash(entries) : `#compdef syla\nautoload -U +X bashcompinit && bashcompinit\n${renderBash(entries)}`;
}

function describe(command: Command, path: string): Entry[] {
  const visible = command.createHelp().visibleCommands(command);
  const entry: Entry = {
    path,
    values: valuesOfArguments(command, path),
    commands: visible.map((child) => ({ name: child.name(), summary: child.description() })),
    flags: command.options
      .filter((option) => !option.hidden)
      .map((option) => ({
        names: [option.short, option.long].filter((name) => name !== undefined),
        summary: option.description,
        takesValue: option.required,
        values: valuesOfOption(option),
      })),
  };
  return [entry, ...command.commands.flatMap((child) => describe(child, path === "" ? child.name() : `${path} ${child.name()}`))];
}

function renderBash(entries: readonly Entry[]): string {
  const cases = entries.map(({ path, commands, flags, values }) => {
    const words = [...commands.map((command) => command.name), ...flags.flatMap((flag) => flag.names), "--help"];
    const valued = flags.flatMap((flag) => (flag.values === null ? [] : flag.names.map((name) => `${name}=${nameValues(flag.values)}`)));
    const sets = [`words="${words.join(" ")}"`];
    if (valued.length > 0) sets.push(`valued="${valued.join(" ")}"`);
    if (values !== null) sets.push(`values="${nameValues(values)}"`);
    return `    "${path}") ${sets.join(" ")} ;;`;
  });
  return `_syla() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words="" valued="" values="" profile=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $profile == next ]] && profile="$word"
    [[ $word == --profile ]] && profile=next
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
  [[ $current == -* ]] && values=""
  for word in $valued; do
    [[ "\${word%%=*}" == "$before" ]] && words="" && values="\${word#*=}"
  done
  case "$values" in
    "") ;;
    @*) words="$words $(SYLA_PROFILE="\${profile:-$SYLA_PROFILE}" "\${COMP_WORDS[0]}" complete-values "\${values#@}" 2>/dev/null)" ;;
    *) words="$words \${values//,/ }" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _syla syla ./syla
`;
}

/** The words themselves, or what has to be asked for. */
function nameValues(values: Values | null): string {
  if (values === null) return "";
  return "kind" in values ? `@${values.kind}` : values.words.join(",");
}

function parentOf(path: string): string {
  return path.split(" ").slice(0, -1).join(" ");
}

function renderFish(entries: readonly Entry[]): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const offer = (values: Values) => quote("kind" in values ? `(syla complete-values ${values.kind} 2>/dev/null)` : values.words.join(" "));
  const lines = entries.flatMap(({ path, commands, flags, values }) => {
    const children = commands.map((command) => command.name).join(" ");
    const here = path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1)}`;
    const condition = path === "" || children === "" ? here : `${here}; and not __fish_seen_subcommand_from ${children}`;
    return [
      ...(values === null ? [] : [`complete -c syla -n ${quote(condition)} -a ${offer(values)}`]),
      ...commands.map((command) => `complete -c syla -f -n ${quote(condition)} -a ${command.name} -d ${quote(command.summary)}`),
      ...flags.map((flag) => {
        const names = flag.names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
        return `complete -c syla -n ${quote(condition)} ${names}${flag.takesValue ? " -r" : ""}${flag.values === null ? "" : ` -f -a ${offer(flag.values)}`} -d ${quote(flag.summary)}`;
      }),
    ];
  });
  return `${lines.join("\n")}\n`;
}
