import { Argument, Command } from "commander";
import { renderCompletion, shells } from "../output/completion.ts";
import { findPlugins } from "../plugins/find-plugins.ts";

type Shell = (typeof shells)[number];

/** The plugins that there are now, as commands. */
function listPlugins() {
  return findPlugins(process.env).map(({ name }) => ({ name, summary: "a plugin" }));
}

/** The script is made from the commands themselves, so it cannot lag behind them. */
export function defineCompletionCommand(program: () => Command): Command {
  return new Command("completion")
    .description('a completion script for your shell, e.g. eval "$(syla completion bash)"')
    .addArgument(new Argument("<shell>").choices(shells))
    .action((shell: Shell) => void process.stdout.write(renderCompletion(shell, program(), listPlugins())));
}
