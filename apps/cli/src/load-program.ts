import type { Command } from "commander";
import { defineRoot } from "./root-command.ts";

/** Each command is loaded alone, without everything that the other ones need: scripts start them many times. */
const alone: Readonly<Record<string, () => Promise<Command>>> = {
  account: async () => (await import("./nouns/account.ts")).accountNoun,
  admin: async () => (await import("./nouns/admin.ts")).adminNoun,
  audit: async () => (await import("./nouns/audit.ts")).auditNoun,
  auth: async () => (await import("./nouns/auth.ts")).authNoun,
  backup: async () => (await import("./nouns/backup.ts")).backupNoun,
  budget: async () => (await import("./nouns/budget.ts")).budgetNoun,
  cache: async () => (await import("./nouns/cache.ts")).cacheNoun,
  collaborate: async () => (await import("./commands/collaborate.ts")).collaborateCommand,
  "complete-values": async () => (await import("./commands/complete-values.ts")).completeValuesCommand,
  composition: async () => (await import("./nouns/composition.ts")).compositionNoun,
  config: async () => (await import("./commands/config.ts")).configCommand,
  costs: async () => (await import("./commands/costs.ts")).costsCommand,
  credential: async () => (await import("./nouns/credential.ts")).credentialNoun,
  dataset: async () => (await import("./nouns/dataset.ts")).datasetNoun,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  down: async () => (await import("./commands/down.ts")).downCommand,
  environment: async () => (await import("./nouns/environment.ts")).environmentNoun,
  exec: async () => (await import("./commands/exec.ts")).execCommand,
  init: async () => (await import("./commands/init.ts")).initCommand,
  interactive: async () => (await import("./commands/interactive.ts")).interactiveCommand,
  logs: async () => (await import("./commands/logs.ts")).logsCommand,
  model: async () => (await import("./nouns/model.ts")).modelNoun,
  monitor: async () => (await import("./commands/monitor.ts")).monitorCommand,
  new: async () => (await import("./commands/new.ts")).newCommand,
  notebook: async () => (await import("./nouns/notebook.ts")).notebookNoun,
  notifications: async () => (await import("./nouns/notifications.ts")).notificationsNoun,
  pools: async () => (await import("./commands/pools.ts")).poolsCommand,
  program: async () => (await import("./nouns/program.ts")).programNoun,
  run: async () => (await import("./commands/run.ts")).runCommand,
  runs: async () => (await import("./nouns/runs.ts")).runsNoun,
  runtimes: async () => (await import("./commands/runtimes.ts")).runtimesCommand,
  sandbox: async () => (await import("./nouns/sandbox.ts")).sandboxNoun,
  schedule: async () => (await import("./nouns/schedule.ts")).scheduleNoun,
  server: async () => (await import("./nouns/server.ts")).serverNoun,
  status: async () => (await import("./commands/status.ts")).statusCommand,
  support: async () => (await import("./nouns/support.ts")).supportNoun,
  team: async () => (await import("./nouns/team.ts")).teamNoun,
  template: async () => (await import("./nouns/template.ts")).templateNoun,
  test: async () => (await import("./commands/test.ts")).testCommand,
  trigger: async () => (await import("./nouns/trigger.ts")).triggerNoun,
  up: async () => (await import("./commands/up.ts")).upCommand,
  upgrade: async () => (await import("./commands/upgrade.ts")).upgradeCommand,
  usage: async () => (await import("./commands/usage.ts")).usageCommand,
  version: async () => (await import("./commands/version.ts")).versionCommand,
  webhook: async () => (await import("./nouns/webhook.ts")).webhookNoun,
  workers: async () => (await import("./commands/workers.ts")).workersCommand,
  workspace: async () => (await import("./nouns/workspace.ts")).workspaceNoun,
};

/** The commands that these words may mean: one alone, none for the version, else all of them. */
export async function loadProgram([word = ""]: readonly string[]): Promise<Command> {
  if (word === "--version" || word === "-V") return defineRoot();
  const load = Object.hasOwn(alone, word) ? alone[word] : undefined;
  if (load !== undefined) return defineRoot().addCommand(await load());
  return (await import("./program.ts")).buildProgram();
}
