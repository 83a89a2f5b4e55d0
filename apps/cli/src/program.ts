import { Command } from "commander";
import { authLoginCommand } from "./commands/auth-login.ts";
import { authLogoutCommand } from "./commands/auth-logout.ts";
import { authStatusCommand } from "./commands/auth-status.ts";
import { cacheClearCommand } from "./commands/cache-clear.ts";
import { cacheStatsCommand } from "./commands/cache-stats.ts";
import { cacheWarmCommand } from "./commands/cache-warm.ts";
import { defineCompletionCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { execCommand } from "./commands/exec.ts";
import { logsCommand } from "./commands/logs.ts";
import { poolsCommand } from "./commands/pools.ts";
import { runsCancelCommand } from "./commands/runs-cancel.ts";
import { runsListCommand } from "./commands/runs-list.ts";
import { runsShowCommand } from "./commands/runs-show.ts";
import { runtimesCommand } from "./commands/runtimes.ts";
import { sandboxCreateCommand } from "./commands/sandbox-create.ts";
import { sandboxDeleteCommand } from "./commands/sandbox-delete.ts";
import { sandboxExecCommand } from "./commands/sandbox-exec.ts";
import { sandboxForwardCommand } from "./commands/sandbox-forward.ts";
import { sandboxGetCommand } from "./commands/sandbox-get.ts";
import { sandboxListCommand } from "./commands/sandbox-list.ts";
import { sandboxLsCommand } from "./commands/sandbox-ls.ts";
import { sandboxPauseCommand } from "./commands/sandbox-pause.ts";
import { sandboxPutCommand } from "./commands/sandbox-put.ts";
import { sandboxResumeCommand } from "./commands/sandbox-resume.ts";
import { sandboxRunCommand } from "./commands/sandbox-run.ts";
import { sandboxShellCommand } from "./commands/sandbox-shell.ts";
import { sandboxShowCommand } from "./commands/sandbox-show.ts";
import { serverLogsCommand } from "./commands/server-logs.ts";
import { defineAccessCommand, defineShareCommand, defineUnshareCommand } from "./commands/share.ts";
import { statusCommand } from "./commands/status.ts";
import { teamAddCommand } from "./commands/team-add.ts";
import { teamCreateCommand } from "./commands/team-create.ts";
import { teamDeleteCommand } from "./commands/team-delete.ts";
import { teamLeaveCommand } from "./commands/team-leave.ts";
import { teamListCommand } from "./commands/team-list.ts";
import { teamRemoveCommand } from "./commands/team-remove.ts";
import { teamShowCommand } from "./commands/team-show.ts";
import { testCommand } from "./commands/test.ts";
import { upCommand } from "./commands/up.ts";
import { versionCommand } from "./commands/version.ts";
import { workersCommand } from "./commands/workers.ts";
import { readVersion } from "./local-server/installation.ts";

const environmentHelp = `
Environment:
  SYLA_URL, SYLA_API_KEY   the server to use, and the key to it
  SYLA_PROFILE             the profile to use (as --profile)
  SYLA_HOME                the folder of everything that Syla writes (~/.syla)

Exit codes: docs/cli.md`;

function sharing(type: "run" | "sandbox"): Command[] {
  return [defineShareCommand(type), defineUnshareCommand(type), defineAccessCommand(type)];
}

/** The whole command line. */
export function buildProgram(): Command {
  const program: Command = new Command("syla")
    .description("Runs programs in sandboxes, on this machine or on a server.")
    .version(readVersion(), "-V, --version")
    .enablePositionalOptions()
    .addHelpText("after", environmentHelp);
  const noun = (name: string, summary: string, verbs: readonly Command[]) =>
    verbs.reduce((parent, verb) => parent.addCommand(verb), new Command(name).description(summary).enablePositionalOptions());
  const commands = [
    execCommand,
    testCommand,
    upCommand,
    downCommand,
    statusCommand,
    doctorCommand,
    noun("runs", "what was run", [runsListCommand, runsShowCommand, runsCancelCommand, ...sharing("run")]),
    logsCommand,
    noun("sandbox", "long-lived sandboxes", [
      sandboxCreateCommand,
      sandboxListCommand,
      sandboxShowCommand,
      sandboxExecCommand,
      sandboxShellCommand,
      sandboxRunCommand,
      sandboxForwardCommand,
      sandboxPutCommand,
      sandboxGetCommand,
      sandboxLsCommand,
      sandboxPauseCommand,
      sandboxResumeCommand,
      sandboxDeleteCommand,
      ...sharing("sandbox"),
    ]),
    noun("team", "people who are given things together", [
      teamListCommand,
      teamShowCommand,
      teamCreateCommand,
      teamAddCommand,
      teamRemoveCommand,
      teamLeaveCommand,
      teamDeleteCommand,
    ]),
    runtimesCommand,
    noun("cache", "results that answer equal runs", [cacheStatsCommand, cacheClearCommand, cacheWarmCommand]),
    workersCommand,
    poolsCommand,
    noun("server", "the server of this machine", [serverLogsCommand]),
    noun("auth", "servers elsewhere, and the keys to them", [authLoginCommand, authLogoutCommand, authStatusCommand]),
    configCommand,
    defineCompletionCommand(() => program),
    versionCommand,
  ];
  for (const command of commands) program.addCommand(command);
  return program;
}
