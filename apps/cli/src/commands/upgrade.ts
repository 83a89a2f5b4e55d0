import type { Command } from "commander";
import { findLauncher, installationRoot, readPackageName, readVersion } from "../local-server/installation.ts";
import { isNewer, readNewestVersion } from "../npm/newest-version.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly check?: boolean;
}

/** What is here, what there is, and how to get it. */
interface Upgrade {
  readonly version: string;
  /** Null: not known. */
  readonly newest: string | null;
  readonly isNewer: boolean;
  readonly command: string;
}

export const upgradeCommand: Command = defineCommand("upgrade", "whether there is a newer version, and how to get it; nothing is installed")
  .option("--check", "exit with 1 when there is a newer one")
  .action((flags: Flags) => {
    const upgrade = findLauncher() === null ? lookForPackage() : describeCheckout();
    if (flags.json === true) printJson(upgrade);
    else printLine(plainLine(tell(upgrade)));
    process.exitCode = flags.check === true && upgrade.isNewer ? 1 : 0;
  });

function lookForPackage(): Upgrade {
  const [name, version] = [readPackageName(), readVersion()];
  const newest = readNewestVersion(name, process.env);
  return {
    version,
    newest,
    isNewer: newest !== null && isNewer(newest, version),
    command: `npm install --global ${name}@${newest ?? "latest"}`,
  };
}

/** What is newer is where the checkout came from, which git knows. */
function describeCheckout(): Upgrade {
  return { version: readVersion(), newest: null, isNewer: false, command: `git -C ${installationRoot()} pull` };
}

function tell({ version, newest, isNewer: hasNewer, command }: Upgrade): string {
  if (hasNewer) return `syla ${newest} is there; this is ${version}. Get it with: ${command}`;
  if (newest !== null) return `syla ${version} is the newest version.`;
  return findLauncher() === null
    ? `syla ${version}: npm knows no package ${readPackageName()}, so that there is none to compare it with.`
    : `syla ${version} runs from a checkout. Get what is newer with: ${command}`;
}
