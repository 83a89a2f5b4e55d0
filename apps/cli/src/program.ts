import { Command } from "commander";
import { accountDeleteCommand } from "./commands/account-delete.ts";
import { accountEmailCommand } from "./commands/account-email.ts";
import { accountExportCommand } from "./commands/account-export.ts";
import { accountPasswordCommand } from "./commands/account-password.ts";
import { accountSetCommand } from "./commands/account-set.ts";
import { accountShowCommand } from "./commands/account-show.ts";
import { adminAnnouncementsCreateCommand } from "./commands/admin-announcements-create.ts";
import { adminAnnouncementsDeleteCommand } from "./commands/admin-announcements-delete.ts";
import { adminAnnouncementsListCommand } from "./commands/admin-announcements-list.ts";
import { adminDeliveriesListCommand } from "./commands/admin-deliveries-list.ts";
import { adminDeliveriesRetryCommand } from "./commands/admin-deliveries-retry.ts";
import { adminDeliveriesShowCommand } from "./commands/admin-deliveries-show.ts";
import { adminInvitationsListCommand } from "./commands/admin-invitations-list.ts";
import { adminInvitationsRevokeCommand } from "./commands/admin-invitations-revoke.ts";
import { adminOverviewCommand } from "./commands/admin-overview.ts";
import { adminUsersDeleteCommand } from "./commands/admin-users-delete.ts";
import { adminUsersExportCommand } from "./commands/admin-users-export.ts";
import { adminUsersQuotasCommand } from "./commands/admin-users-quotas.ts";
import { adminUsersResetLinkCommand } from "./commands/admin-users-reset-link.ts";
import { adminUsersShowCommand } from "./commands/admin-users-show.ts";
import { adminUsersSignOutCommand } from "./commands/admin-users-sign-out.ts";
import { authIdentitiesListCommand } from "./commands/auth-identities-list.ts";
import { authIdentitiesUnlinkCommand } from "./commands/auth-identities-unlink.ts";
import { authSessionsListCommand } from "./commands/auth-sessions-list.ts";
import { authSessionsRevokeCommand } from "./commands/auth-sessions-revoke.ts";
import { authTwoFactorDisableCommand } from "./commands/auth-two-factor-disable.ts";
import { authTwoFactorEnableCommand } from "./commands/auth-two-factor-enable.ts";
import { authTwoFactorRecoveryCodesCommand } from "./commands/auth-two-factor-recovery-codes.ts";
import { authTwoFactorStatusCommand } from "./commands/auth-two-factor-status.ts";
import { notebookRunCommand } from "./commands/notebook-run.ts";
import { notificationsPreferencesCommand } from "./commands/notifications-preferences.ts";
import { notificationsTestCommand } from "./commands/notifications-test.ts";
import { notificationsUnreadCommand } from "./commands/notifications-unread.ts";
import { notificationsWatchCommand } from "./commands/notifications-watch.ts";
import { notificationsWebhookSecretCommand } from "./commands/notifications-webhook-secret.ts";
import { teamInvitationsListCommand } from "./commands/team-invitations-list.ts";
import { teamInvitationsRevokeCommand } from "./commands/team-invitations-revoke.ts";
import { teamRoleCommand } from "./commands/team-role.ts";
import { teamUpdateCommand } from "./commands/team-update.ts";
import { authCreateKeyCommand } from "./commands/auth-create-key.ts";
import { authInviteCommand } from "./commands/auth-invite.ts";
import { authKeyQuotasCommand } from "./commands/auth-key-quotas.ts";
import { authKeysCommand } from "./commands/auth-keys.ts";
import { adminSettingsCommand } from "./commands/admin-settings.ts";
import { adminUsersListCommand } from "./commands/admin-users-list.ts";
import { adminUsersReactivateCommand } from "./commands/admin-users-reactivate.ts";
import { adminUsersResetTwoFactorCommand } from "./commands/admin-users-reset-two-factor.ts";
import { adminUsersRoleCommand } from "./commands/admin-users-role.ts";
import { adminUsersSuspendCommand } from "./commands/admin-users-suspend.ts";
import { auditExportCommand } from "./commands/audit-export.ts";
import { auditListCommand } from "./commands/audit-list.ts";
import { auditVerifyCommand } from "./commands/audit-verify.ts";
import { authLoginCommand } from "./commands/auth-login.ts";
import { authLogoutCommand } from "./commands/auth-logout.ts";
import { authRevokeKeyCommand } from "./commands/auth-revoke-key.ts";
import { authStatusCommand } from "./commands/auth-status.ts";
import { assetVerbs, defineDeleteAssetsCommand, versionVerbs } from "./commands/asset-verbs.ts";
import { compositionApprovalsCommand } from "./commands/composition-approvals.ts";
import { compositionCompileCommand } from "./commands/composition-compile.ts";
import { compositionCreateCommand, compositionImportCommand } from "./commands/composition-create.ts";
import { compositionApproveCommand, compositionRejectCommand } from "./commands/composition-decide.ts";
import { compositionExportCommand } from "./commands/composition-export.ts";
import { compositionListCommand } from "./commands/composition-list.ts";
import { compositionNodesCommand } from "./commands/composition-nodes.ts";
import { compositionPullCommand, compositionPushCommand } from "./commands/composition-push.ts";
import { compositionRunCommand } from "./commands/composition-run.ts";
import { compositionShowCommand } from "./commands/composition-show.ts";
import { compositionValidateCommand } from "./commands/composition-validate.ts";
import { cacheClearCommand } from "./commands/cache-clear.ts";
import { cacheStatsCommand } from "./commands/cache-stats.ts";
import { cacheWarmCommand } from "./commands/cache-warm.ts";
import { triggerCallsCommand } from "./commands/trigger-calls.ts";
import { triggerCreateCommand } from "./commands/trigger-create.ts";
import { triggerDeleteCommand } from "./commands/trigger-delete.ts";
import { triggerListCommand } from "./commands/trigger-list.ts";
import { triggerRotateCommand } from "./commands/trigger-rotate.ts";
import { triggerUpdateCommand } from "./commands/trigger-update.ts";
import { webhookCreateCommand } from "./commands/webhook-create.ts";
import { webhookDeleteCommand } from "./commands/webhook-delete.ts";
import { webhookDeliveriesCommand } from "./commands/webhook-deliveries.ts";
import { webhookListCommand } from "./commands/webhook-list.ts";
import { webhookReplayCommand } from "./commands/webhook-replay.ts";
import { webhookRotateCommand } from "./commands/webhook-rotate.ts";
import { webhookTestCommand } from "./commands/webhook-test.ts";
import { webhookUpdateCommand } from "./commands/webhook-update.ts";
import { credentialCreateCommand } from "./commands/credential-create.ts";
import { credentialDeleteCommand } from "./commands/credential-delete.ts";
import { credentialListCommand } from "./commands/credential-list.ts";
import { credentialReplaceCommand } from "./commands/credential-replace.ts";
import { workspaceEnds, workspaceVerbs } from "./commands/workspace-verbs.ts";
import { credentialShowCommand } from "./commands/credential-show.ts";
import { credentialRenameCommand, credentialUpdateCommand } from "./commands/credential-update.ts";
import { collaborateCommand } from "./commands/collaborate.ts";
import { defineCompletionCommand } from "./commands/completion.ts";
import { completeValuesCommand } from "./commands/complete-values.ts";
import { configCommand } from "./commands/config.ts";
import { datasetCreateCommand, datasetUpdateCommand } from "./commands/dataset-create.ts";
import { datasetExportCommand } from "./commands/dataset-export.ts";
import { datasetListCommand } from "./commands/dataset-list.ts";
import { datasetRowsCommand } from "./commands/dataset-rows.ts";
import { datasetShowCommand } from "./commands/dataset-show.ts";
import { datasetSplitCommand } from "./commands/dataset-split.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { environmentBuildCommand } from "./commands/environment-build.ts";
import { environmentDeleteCommand } from "./commands/environment-delete.ts";
import { environmentImageBuildCommand } from "./commands/environment-image-build.ts";
import { environmentImagePushCommand } from "./commands/environment-image-push.ts";
import { environmentImageShowCommand } from "./commands/environment-image-show.ts";
import { environmentIndexCreateCommand } from "./commands/environment-index-create.ts";
import { environmentIndexDeleteCommand } from "./commands/environment-index-delete.ts";
import { environmentIndexListCommand } from "./commands/environment-index-list.ts";
import { environmentIndexTestCommand } from "./commands/environment-index-test.ts";
import { environmentIndexUpdateCommand } from "./commands/environment-index-update.ts";
import { environmentListCommand } from "./commands/environment-list.ts";
import { environmentLogsCommand } from "./commands/environment-logs.ts";
import { environmentShowCommand } from "./commands/environment-show.ts";
import { environmentWarmCommand } from "./commands/environment-warm.ts";
import { initCommand } from "./commands/init.ts";
import { newCommand } from "./commands/new.ts";
import { templateVerbs } from "./commands/template-verbs.ts";
import { interactiveCommand } from "./commands/interactive.ts";
import { execCommand } from "./commands/exec.ts";
import { logsCommand } from "./commands/logs.ts";
import { modelCapListCommand, modelCapRemoveCommand, modelCapSetCommand } from "./commands/model-cap.ts";
import { modelCreateCommand } from "./commands/model-create.ts";
import { modelListCommand } from "./commands/model-list.ts";
import { modelShowCommand } from "./commands/model-show.ts";
import { modelTestCommand } from "./commands/model-test.ts";
import { modelUpdateCommand } from "./commands/model-update.ts";
import { modelCallsCommand, modelUsageCommand } from "./commands/model-usage.ts";
import { monitorCommand } from "./commands/monitor.ts";
import { notificationsDeleteCommand } from "./commands/notifications-delete.ts";
import { notificationsListCommand } from "./commands/notifications-list.ts";
import { notificationsReadCommand } from "./commands/notifications-read.ts";
import { programAnalyzeCommand } from "./commands/program-analyze.ts";
import { pluginVerbs } from "./commands/plugin-verbs.ts";
import { poolsCommand } from "./commands/pools.ts";
import { programImportCommand } from "./commands/program-import.ts";
import { defineTemplatesCommand } from "./commands/program-templates.ts";
import { runCommand } from "./commands/run.ts";
import { programCreateCommand } from "./commands/program-create.ts";
import { programListCommand, programSearchCommand } from "./commands/program-list.ts";
import { programPullCommand, programPushCommand } from "./commands/program-push.ts";
import { programSetCommand } from "./commands/program-set.ts";
import { programShellCommand } from "./commands/program-shell.ts";
import { programShowCommand } from "./commands/program-show.ts";
import { runsCompareCommand } from "./commands/runs-compare.ts";
import { runsDownloadCommand, runsLinkCommand } from "./commands/runs-download.ts";
import { runsListCommand } from "./commands/runs-list.ts";
import { defineRunsManyCommand } from "./commands/runs-many.ts";
import { defineRunsPinCommand } from "./commands/runs-pin.ts";
import { runsRerunCommand } from "./commands/runs-rerun.ts";
import { runsRequeueCommand } from "./commands/runs-requeue.ts";
import { runsShowCommand } from "./commands/runs-show.ts";
import { runsSummaryCommand } from "./commands/runs-summary.ts";
import { runsTraceCommand } from "./commands/runs-trace.ts";
import { runsWaitCommand } from "./commands/runs-wait.ts";
import { runtimesCommand } from "./commands/runtimes.ts";
import { sandboxChmodCommand } from "./commands/sandbox-chmod.ts";
import { sandboxMkdirCommand } from "./commands/sandbox-mkdir.ts";
import { sandboxMvCommand } from "./commands/sandbox-mv.ts";
import { sandboxRmCommand } from "./commands/sandbox-rm.ts";
import { sandboxWatchCommand } from "./commands/sandbox-watch.ts";
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
import { serverKeysRotateCommand } from "./commands/server-keys-rotate.ts";
import { serverLogsCommand } from "./commands/server-logs.ts";
import { defineAccessCommand, defineShareCommand, defineUnshareCommand } from "./commands/share.ts";
import {
  storageCheckCommand,
  storageCollectCommand,
  storageCoolCommand,
  storageCopyCommand,
  storageMeasureCommand,
  storageRecallCommand,
  storageRepairCommand,
  storageStatusCommand,
  storageStopCommand,
} from "./commands/server-storage.ts";
import { storageMoveCommand } from "./commands/server-storage-move.ts";
import { statusCommand } from "./commands/status.ts";
import { scheduleCreateCommand } from "./commands/schedule-create.ts";
import { scheduleDeleteCommand } from "./commands/schedule-delete.ts";
import { scheduleDisableCommand } from "./commands/schedule-disable.ts";
import { scheduleEnableCommand } from "./commands/schedule-enable.ts";
import { scheduleListCommand } from "./commands/schedule-list.ts";
import { scheduleShowCommand } from "./commands/schedule-show.ts";
import { teamAddCommand } from "./commands/team-add.ts";
import { teamCreateCommand } from "./commands/team-create.ts";
import { teamDeleteCommand } from "./commands/team-delete.ts";
import { teamJoinCommand } from "./commands/team-join.ts";
import { teamLeaveCommand } from "./commands/team-leave.ts";
import { teamLimitCommand } from "./commands/team-limit.ts";
import { teamListCommand } from "./commands/team-list.ts";
import { teamRemoveCommand } from "./commands/team-remove.ts";
import { teamShowCommand } from "./commands/team-show.ts";
import { supportBundleCommand } from "./commands/support-bundle.ts";
import { testCommand } from "./commands/test.ts";
import { upCommand } from "./commands/up.ts";
import { upgradeCommand } from "./commands/upgrade.ts";
import { costsCommand } from "./commands/costs.ts";
import { usageCommand } from "./commands/usage.ts";
import { backupVerbs } from "./commands/backup.ts";
import { budgetListCommand, budgetRemoveCommand, budgetSetCommand } from "./commands/budget.ts";
import { adminRecountUsageCommand } from "./commands/admin-recount-usage.ts";
import { versionCommand } from "./commands/version.ts";
import { workersCommand } from "./commands/workers.ts";
import { defineRoot } from "./root-command.ts";

function sharing(type: "run" | "sandbox" | "asset" | "workspace"): Command[] {
  const access = defineAccessCommand(type);
  if (type === "workspace") access.alias("members");
  return [defineShareCommand(type), defineUnshareCommand(type), access];
}

/** The words that are commands of ours. */
function namesOf(program: Command): ReadonlySet<string> {
  return new Set(["help", ...program.commands.flatMap((command) => [command.name(), ...command.aliases()])]);
}

/** The whole command line. */
export function buildProgram(): Command {
  const program = defineRoot();
  const noun = (name: string, summary: string, verbs: readonly Command[]) =>
    verbs.reduce((parent, verb) => parent.addCommand(verb), new Command(name).description(summary).enablePositionalOptions());
  const commands = [
    execCommand,
    runCommand,
    testCommand,
    interactiveCommand,
    initCommand,
    newCommand,
    noun("template", "programs and compositions to begin with", templateVerbs()),
    upCommand,
    downCommand,
    statusCommand,
    doctorCommand,
    noun("support", "help from others", [supportBundleCommand]),
    upgradeCommand,
    noun("runs", "what was run", [
      runsListCommand,
      runsSummaryCommand,
      runsShowCommand,
      runsWaitCommand,
      runsTraceCommand,
      runsDownloadCommand,
      runsLinkCommand,
      runsRerunCommand,
      runsCompareCommand,
      defineRunsManyCommand("cancel"),
      defineRunsManyCommand("retry"),
      defineRunsManyCommand("delete"),
      defineRunsPinCommand(true),
      defineRunsPinCommand(false),
      runsRequeueCommand,
      ...sharing("run"),
    ]),
    logsCommand,
    noun("program", "programs in the catalog", [
      programListCommand,
      programSearchCommand,
      programShowCommand,
      programShellCommand,
      programCreateCommand,
      programSetCommand,
      programImportCommand,
      defineTemplatesCommand("templates"),
      programAnalyzeCommand,
      programPushCommand,
      programPullCommand,
      ...versionVerbs("program"),
      ...assetVerbs("program"),
      defineDeleteAssetsCommand("program", "delete programs; they can be restored for 30 days"),
      ...sharing("asset"),
    ]),
    noun("composition", "typed graphs of steps that compile to Python", [
      compositionListCommand,
      compositionShowCommand,
      compositionCreateCommand,
      compositionImportCommand,
      compositionExportCommand,
      compositionRunCommand,
      compositionNodesCommand,
      compositionApprovalsCommand,
      compositionApproveCommand,
      compositionRejectCommand,
      compositionPushCommand,
      compositionPullCommand,
      compositionValidateCommand,
      compositionCompileCommand,
      ...versionVerbs("composition"),
      ...assetVerbs("composition"),
      defineDeleteAssetsCommand("composition", "delete compositions; they can be restored for 30 days"),
      ...sharing("asset"),
    ]),
    noun("workspace", "trees of files in which runs happen", [...workspaceVerbs(), ...workspaceEnds(), ...sharing("workspace")]),
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
      sandboxWatchCommand,
      sandboxMkdirCommand,
      sandboxMvCommand,
      sandboxRmCommand,
      sandboxChmodCommand,
      sandboxPauseCommand,
      sandboxResumeCommand,
      sandboxDeleteCommand,
      ...sharing("sandbox"),
    ]),
    noun("notebook", "code, text and what came of it in one file", [notebookRunCommand]),
    noun("dataset", "rows in versions, for programs to read", [
      datasetListCommand,
      datasetShowCommand,
      datasetCreateCommand,
      datasetUpdateCommand,
      datasetRowsCommand,
      datasetExportCommand,
      datasetSplitCommand,
      ...versionVerbs("dataset"),
      ...assetVerbs("dataset"),
      defineDeleteAssetsCommand("dataset", "delete datasets; they can be restored for 30 days"),
      ...sharing("asset"),
    ]),
    noun("environment", "the built dependencies of programs", [
      environmentListCommand,
      environmentShowCommand,
      environmentBuildCommand,
      environmentWarmCommand,
      environmentLogsCommand,
      environmentDeleteCommand,
      noun("index", "package indexes beside the server's own", [
        environmentIndexListCommand,
        environmentIndexCreateCommand,
        environmentIndexUpdateCommand,
        environmentIndexTestCommand,
        environmentIndexDeleteCommand,
      ]),
      noun("image", "environments as OCI images, for clusters", [
        environmentImageShowCommand,
        environmentImageBuildCommand,
        environmentImagePushCommand,
      ]),
    ]),
    noun("schedule", "programs that run again and again", [
      scheduleListCommand,
      scheduleShowCommand,
      scheduleCreateCommand,
      scheduleEnableCommand,
      scheduleDisableCommand,
      scheduleDeleteCommand,
    ]),
    noun("team", "people who are given things together", [
      teamListCommand,
      teamShowCommand,
      teamCreateCommand,
      teamUpdateCommand,
      teamAddCommand,
      noun("invitations", "invitations to a team that are open", [teamInvitationsListCommand, teamInvitationsRevokeCommand]),
      teamRoleCommand,
      teamRemoveCommand,
      teamLimitCommand,
      teamJoinCommand,
      teamLeaveCommand,
      teamDeleteCommand,
    ]),
    noun("model", "language models, and what is spent on them", [
      modelListCommand,
      modelShowCommand,
      modelCreateCommand,
      modelUpdateCommand,
      modelTestCommand,
      modelUsageCommand,
      modelCallsCommand,
      ...versionVerbs("model"),
      ...assetVerbs("model"),
      defineDeleteAssetsCommand("model", "delete models, for now; what is bound to one fails from then on"),
      noun("cap", "what others may spend on a model", [modelCapListCommand, modelCapSetCommand, modelCapRemoveCommand]),
    ]),
    noun("credential", "secrets that are used and never shown", [
      credentialListCommand,
      credentialShowCommand,
      credentialCreateCommand,
      credentialReplaceCommand,
      credentialRenameCommand,
      credentialUpdateCommand,
      credentialDeleteCommand,
    ]),
    noun("webhook", "addresses that are told of what happens", [
      webhookListCommand,
      webhookCreateCommand,
      webhookUpdateCommand,
      webhookTestCommand,
      webhookDeliveriesCommand,
      webhookReplayCommand,
      webhookRotateCommand,
      webhookDeleteCommand,
    ]),
    noun("trigger", "addresses whose calls start runs", [
      triggerListCommand,
      triggerCreateCommand,
      triggerUpdateCommand,
      triggerCallsCommand,
      triggerRotateCommand,
      triggerDeleteCommand,
    ]),
    runtimesCommand,
    noun("cache", "results that answer equal runs", [cacheStatsCommand, cacheClearCommand, cacheWarmCommand]),
    workersCommand,
    poolsCommand,
    monitorCommand,
    collaborateCommand,
    noun("notifications", "what you were told, and where you want to be", [
      notificationsListCommand,
      notificationsWatchCommand,
      notificationsReadCommand,
      notificationsUnreadCommand,
      notificationsDeleteCommand,
      notificationsPreferencesCommand,
      notificationsTestCommand,
      notificationsWebhookSecretCommand,
    ]),
    noun("admin", "for administrators", [
      noun("users", "accounts", [
        adminUsersListCommand,
        adminUsersShowCommand,
        adminUsersRoleCommand,
        adminUsersQuotasCommand,
        adminUsersSuspendCommand,
        adminUsersReactivateCommand,
        adminUsersSignOutCommand,
        adminUsersResetLinkCommand,
        adminUsersResetTwoFactorCommand,
        adminUsersExportCommand,
        adminUsersDeleteCommand,
      ]),
      noun("invitations", "who may make an account", [adminInvitationsListCommand, adminInvitationsRevokeCommand]),
      noun("announcements", "what everybody is told", [
        adminAnnouncementsListCommand,
        adminAnnouncementsCreateCommand,
        adminAnnouncementsDeleteCommand,
      ]),
      noun("deliveries", "what is sent outside", [adminDeliveriesListCommand, adminDeliveriesShowCommand, adminDeliveriesRetryCommand]),
      adminOverviewCommand,
      adminSettingsCommand,
      adminRecountUsageCommand,
    ]),
    usageCommand,
    costsCommand,
    noun("budget", "what is meant to be spent on models", [budgetListCommand, budgetSetCommand, budgetRemoveCommand]),
    noun("audit", "who did what", [auditListCommand, auditExportCommand, auditVerifyCommand]),
    noun("server", "the server of this machine", [
      serverLogsCommand,
      noun("storage", "stored content", [
        storageStatusCommand,
        storageCheckCommand,
        storageRepairCommand,
        storageCollectCommand,
        storageMeasureCommand,
        storageCopyCommand,
        storageCoolCommand,
        storageRecallCommand,
        storageStopCommand,
        storageMoveCommand,
      ]),
      noun("keys", "the keys that seal credentials", [serverKeysRotateCommand]),
    ]),
    noun("backup", "backups of the installation, and of workspaces", backupVerbs()),
    noun("account", "your own account", [
      accountShowCommand,
      accountSetCommand,
      accountEmailCommand,
      accountPasswordCommand,
      accountExportCommand,
      accountDeleteCommand,
    ]),
    noun("auth", "servers elsewhere, and what lets you in there", [
      authLoginCommand,
      authLogoutCommand,
      authStatusCommand,
      authKeysCommand,
      authCreateKeyCommand,
      authKeyQuotasCommand,
      authRevokeKeyCommand,
      authInviteCommand,
      noun("sessions", "browsers in which you are signed in", [authSessionsListCommand, authSessionsRevokeCommand]),
      noun("two-factor", "a code besides the password", [
        authTwoFactorStatusCommand,
        authTwoFactorEnableCommand,
        authTwoFactorRecoveryCodesCommand,
        authTwoFactorDisableCommand,
      ]),
      noun("identities", "accounts elsewhere that let you in", [authIdentitiesListCommand, authIdentitiesUnlinkCommand]),
    ]),
    configCommand,
    noun(
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
