import type { Command } from "commander";
import { collaborateCommand } from "./commands/collaborate.ts";
import { completeValuesCommand } from "./commands/complete-values.ts";
import { defineCompletionCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config.ts";
import { costsCommand } from "./commands/costs.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { execCommand } from "./commands/exec.ts";
import { initCommand } from "./commands/init.ts";
import { interactiveCommand } from "./commands/interactive.ts";
import { logsCommand } from "./commands/logs.ts";
import { monitorCommand } from "./commands/monitor.ts";
import { newCommand } from "./commands/new.ts";
import { pluginVerbs } from "./commands/plugin-verbs.ts";
import { poolsCommand } from "./commands/pools.ts";
import { runCommand } from "./commands/run.ts";
import { runtimesCommand } from "./commands/runtimes.ts";
import { statusCommand } from "./commands/status.ts";
import { testCommand } from "./commands/test.ts";
import { upCommand } from "./commands/up.ts";
import { upgradeCommand } from "./commands/upgrade.ts";
import { usageCommand } from "./commands/usage.ts";
import { versionCommand } from "./commands/version.ts";
import { workersCommand } from "./commands/workers.ts";
import { defineNoun } from "./nouns/define-noun.ts";
import { accountNoun } from "./nouns/account.ts";
import { adminNoun } from "./nouns/admin.ts";
import { auditNoun } from "./nouns/audit.ts";
import { authNoun } from "./nouns/auth.ts";
import { backupNoun } from "./nouns/backup.ts";
import { budgetNoun } from "./nouns/budget.ts";
import { cacheNoun } from "./nouns/cache.ts";
import { compositionNoun } from "./nouns/composition.ts";
import { credentialNoun } from "./nouns/credential.ts";
import { datasetNoun } from "./nouns/dataset.ts";
import { environmentNoun } from "./nouns/environment.ts";
import { modelNoun } from "./nouns/model.ts";
import { notebookNoun } from "./nouns/notebook.ts";
import { notificationsNoun } from "./nouns/notifications.ts";
import { programNoun } from "./nouns/program.ts";
import { runsNoun } from "./nouns/runs.ts";
import { sandboxNoun } from "./nouns/sandbox.ts";
import { scheduleNoun } from "./nouns/schedule.ts";
import { serverNoun } from "./nouns/server.ts";
import { supportNoun } from "./nouns/support.ts";
import { teamNoun } from "./nouns/team.ts";
import { templateNoun } from "./nouns/template.ts";
import { triggerNoun } from "./nouns/trigger.ts";
import { webhookNoun } from "./nouns/webhook.ts";
import { workspaceNoun } from "./nouns/workspace.ts";
import { defineRoot } from "./root-command.ts";

/** The words that are commands of ours. */
function namesOf(program: Command): ReadonlySet<string> {
  return new Set(["help", ...program.commands.flatMap((command) => [command.name(), ...command.aliases()])]);
}

/** The whole command line. */
export function buildProgram(): Command {
  const program = defineRoot();
  const commands = [
    execCommand,
    runCommand,
    testCommand,
    interactiveCommand,
    initCommand,
    newCommand,
    templateNoun,
    upCommand,
    downCommand,
    statusCommand,
    doctorCommand,
    supportNoun,
    upgradeCommand,
    runsNoun,
    logsCommand,
    programNoun,
    compositionNoun,
    workspaceNoun,
    sandboxNoun,
    notebookNoun,
    datasetNoun,
    environmentNoun,
    scheduleNoun,
    teamNoun,
    modelNoun,
    credentialNoun,
    webhookNoun,
    triggerNoun,
    runtimesCommand,
    cacheNoun,
    workersCommand,
    poolsCommand,
    monitorCommand,
    collaborateCommand,
    notificationsNoun,
    adminNoun,
    usageCommand,
    costsCommand,
    budgetNoun,
    auditNoun,
    serverNoun,
    backupNoun,
    accountNoun,
    authNoun,
    configCommand,
    defineNoun(
      "plugin",
      "commands that others have written",
      pluginVerbs(() => namesOf(program)),
    ),
    defineCompletionCommand(() => program),
    versionCommand,
  ];
  for (const command of commands) program.addCommand(command);
  program.addCommand(completeValuesCommand, { hidden: true });
  return program;
}
