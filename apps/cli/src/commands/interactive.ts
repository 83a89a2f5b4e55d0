import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { converse } from "../interactive/converse.ts";
import { openHistory } from "../interactive/history.ts";
import { openSession } from "../interactive/session.ts";
import { createFormsWriter } from "../interactive/show-forms.ts";
import { createProgress, note } from "../output/progress.ts";
import { style } from "../output/style.ts";
import { allowDomainOption, networkOption, type NetworkFlags, readNetwork } from "../runs/network-flags.ts";
import { parseResources, parseVariables } from "../runs/parse-flags.ts";
import { collect, type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, NetworkFlags {
  readonly language: "python" | "javascript";
  readonly sandbox?: string;
  readonly env: readonly string[];
  readonly resource: readonly string[];
  readonly images?: string;
  readonly keep?: boolean;
}

export const interactiveCommand: Command = defineServerCommand(
  "interactive",
  "type code and run it piece by piece, in a sandbox that keeps its variables",
)
  .addOption(new Option("-l, --language <name>", "the language").choices(["python", "javascript"]).default("python"))
  .option("--sandbox <id>", "in this sandbox, which stays; a new one when left out, which goes at the end")
  .option("--keep", "leave the new sandbox when you leave it")
  .option("-e, --env <NAME=value>", "set a variable; NAME alone passes yours on", collect, [])
  .option("-r, --resource <list>", "limits: cpu=2,memory=4G,disk=2G,processes=50,files=256", collect, [])
  .option("--images <folder>", "where pictures are saved; a new folder in the one for temporary files when left out")
  .addOption(networkOption())
  .addOption(allowDomainOption())
  .addHelpText("after", "\nWith --json each piece is one document a line: { code, status, events }.")
  .action(async (flags: Flags) => {
    const network = readNetwork(flags);
    const wish = { env: parseVariables([], flags.env, process.env), limits: parseResources(flags.resource) };
    const progress = createProgress();
    progress.show("starting a sandbox …");
    const { syla } = await connect({ env: process.env, profile: flags.profile, start: true }).finally(progress.clear);
    const sandbox =
      flags.sandbox === undefined
        ? await syla.sandboxes.create({ name: "interactive", language: flags.language, ...wish, ...(network !== undefined && { network }) })
        : syla.sandboxes.open(flags.sandbox);
    const isOurs = flags.sandbox === undefined && flags.keep !== true;
    const leave = () => void end(() => sandbox.delete(), isOurs).finally(() => process.exit(143));
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, leave);
    try {
      const session = await openSession(sandbox, flags.language);
      if (process.stdin.isTTY && flags.json !== true) greet(flags.language);
      const history = openHistory(process.env, flags.language);
      process.exitCode = await converse(session, { history, forms: createFormsWriter(flags.images), json: flags.json === true });
    } finally {
      await end(() => sandbox.delete(), isOurs);
      if (flags.keep === true) note(`${sandbox.id} stays: syla interactive --sandbox ${sandbox.id} goes on`);
    }
    process.stdin.destroy();
  });

function greet(language: string): void {
  const title = language === "python" ? "Python" : "JavaScript";
  process.stdout.write(`${style(process.stdout, "bold", title)} in a sandbox. /help lists the commands, Ctrl+D ends.\n`);
}

/** A sandbox that cannot be removed now ends by itself when it is not used. */
async function end(remove: () => Promise<unknown>, isOurs: boolean): Promise<void> {
  if (isOurs) await remove().catch(() => undefined);
}
