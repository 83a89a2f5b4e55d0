export { Syla } from "./syla.ts";
export { SylaConnectionError, SylaError, type SylaFieldProblem } from "./errors.ts";
export type { CallOptions, ChangeOptions, CreateOptions, RawContent, SylaOptions } from "./transport.ts";
export type { RetryPolicy } from "./retry.ts";
export type { FollowOptions } from "./run-events.ts";
export type {
  DownloadArtifactOptions,
  ExecuteOptions,
  Executions,
  ListArtifactsQuery,
  ListRunsQuery,
  LogFilterQuery,
  LogQuery,
  LogSearchQuery,
  Page,
  Runs,
} from "./runs.ts";
export type { Runtimes } from "./runtimes.ts";
export type { Analyses } from "./analyses.ts";
export type { EnvironmentImages, Environments, ListEnvironmentsQuery } from "./environments.ts";
export type { ListPackageIndexesQuery, PackageIndexDraft, PackageIndexes } from "./package-indexes.ts";
export type { ListSchedulesQuery, Schedules } from "./schedules.ts";
export type { Schedule } from "@syla/contracts/schedules";
export type { PackageIndex, PackageIndexChange, PackageIndexTest, PackageLanguage } from "@syla/contracts/package-indexes";
export type { Blobs, UploadedBlob } from "./blobs.ts";
export type { Cache } from "./cache.ts";
export type {
  ExecOptions,
  ListSandboxesQuery,
  ProcessOptions,
  SandboxContexts,
  Sandboxes,
  SandboxFiles,
  SandboxHandle,
  SandboxPath,
  SandboxProcesses,
} from "./sandboxes.ts";
export type { NewShareLink, Sharing, ThingRef } from "./access.ts";
export type { Assets, ListAssetsQuery, Programs, Revision, TreeChanges, VersionPage } from "./assets.ts";
export type { CompositionRunDraft, CompositionRuns } from "./composition-runs.ts";
export type { CompositionDraft, Compositions, PaletteQuery } from "./compositions.ts";
export type {
  CompositionCode,
  CompositionDiff,
  CompositionExport,
  CompositionGraph,
  CompositionProblem,
  CreatedComposition,
  PaletteItem,
} from "@syla/contracts/compositions";
export type { FlowGraph } from "@syla/contracts/flow";
export type { CompositionRunInputDraft } from "@syla/contracts/composition-runs";
export type { Approval, NodeDecision, NodeLlm, NodeRun, NodeSaved, NodeState, RunComposition, ValueRef } from "@syla/contracts/node-runs";
export type { CompositionConfig, CompositionPort, CompositionReference } from "@syla/contracts/composition-config";
export type { DatasetContentQuery, DatasetExportQuery, DatasetRowPage, DatasetRowsQuery, Datasets, NewDatasetQuery } from "./datasets.ts";
export type { DatasetColumn, DatasetConfig, DatasetSplits } from "@syla/contracts/dataset-config";
export type { ColumnStatistics, DatasetRow } from "@syla/contracts/datasets";
export type { AssetType } from "@syla/contracts/asset-fields";
export type {
  Asset,
  AssetChange,
  AssetDiff,
  AssetOwner,
  AssetPage,
  AssetSummary,
  AssetUses,
  AssetVersion,
  BulkResult,
  FileDiff,
  TreeRef,
} from "@syla/contracts/assets";
export type { Dependency, ProgramConfig } from "@syla/contracts/program-config";
export type { TreeFile } from "@syla/contracts/programs";
export type { FileSearchQuery, ListWorkspacesQuery, OnConflict, Workspaces } from "./workspaces.ts";
export type {
  Workspace,
  WorkspaceDiff,
  WorkspaceKind,
  WorkspaceSource,
  WorkspaceState,
  WorkspaceVersion,
} from "@syla/contracts/workspaces";
export type { LiveDocument, WorkspacePerson, WorkspacePresenceEvent } from "@syla/contracts/workspace-live";
export type { WorkspaceMirror, WorkspaceMirrorState } from "@syla/contracts/workspace-mirrors";
export type { WorkspaceSandbox } from "@syla/contracts/workspace-sandboxes";
export type { NewTeamInvitation, Teams } from "./teams.ts";
export type { Accounts } from "./accounts.ts";
export type { AdminApi, ListDeliveriesQuery, ListUsersQuery } from "./admin.ts";
export type { FollowNotificationsOptions, ListNotificationsQuery, Notifications } from "./notifications.ts";
export type { AdminOverview, Announcement, Delivery, UserHoldings, UserRecord } from "@syla/contracts/admin";
export type { Setting, SettingForm } from "@syla/contracts/settings";
export type { Notification, NotificationEvent, NotificationPreferences, NotificationType } from "@syla/contracts/notifications";
export type { Audit, AuditExportQuery, AuditQuery } from "./audit.ts";
export type { QuotaList, Quotas, ReadUsage, UsageGroupsQuery } from "./quotas.ts";
export type { Budgets, ListBudgetsQuery } from "./budgets.ts";
export type { Budget } from "@syla/contracts/budgets";
export type { Imports, WaitForImportOptions } from "./imports.ts";
export type {
  GitRefs,
  Import,
  ImportEvent,
  ImportFile,
  ImportFolder,
  ImportPhase,
  ImportState,
  ImportSuggestion,
  Template,
} from "@syla/contracts/imports";
export type { ImportProblem } from "@syla/contracts/import-problem";
export type { Backups } from "./backups.ts";
export type { Backup, BackupJob, BackupReport, BackupStatus } from "@syla/contracts/backups";
export type { Storage } from "./storage.ts";
export type { StorageFinding, StorageJob, StorageReport, StorageStatus, StorageUsage } from "@syla/contracts/storage";
export type { Pools, Workers, WorkersReport } from "./workers.ts";
export type { DoctorReport, ServerInfo, System } from "./system.ts";
export type {
  AnalysedCall,
  AnalysedDependency,
  AnalysedEntrypoint,
  AnalysedSecret,
  AnalysedSlot,
  AnalysedManifest,
  AnalysedVariable,
  Analysis,
  AnalysisDocument,
  AnalysisProblem,
} from "@syla/contracts/analysis";
export type { ProgramAnalysis } from "@syla/contracts/program-analysis";
export type { WorkspaceAnalysis } from "@syla/contracts/workspace-analysis";
export type { NetworkConnection, NetworkPolicy, NetworkUsage, RunNetwork, SandboxNetwork } from "@syla/contracts/network";
export type { LinkedAsset, LinkedSandbox, LinkedThing } from "@syla/contracts/linked-things";
export type { Access, AccessLevel, AccessReason, Grant, PersonAccess, ResourceType, Visibility } from "@syla/contracts/access";
export type { CredentialWithUses, Credentials } from "./credentials.ts";
export type { Webhooks, WebhookWithSecret } from "./webhooks.ts";
export type { Webhook, WebhookDelivery, WebhookDeliveryDetail, WebhookEventType, WebhookPayload } from "@syla/contracts/webhooks";
export type { Triggers, TriggerWithSecret } from "./triggers.ts";
export type { Trigger, TriggerAnswer, TriggerAuth, TriggerCall } from "@syla/contracts/triggers";
export type { Models, RunLlmCalls } from "./models.ts";
export type { ModelConfig, ModelConfigDraft, ModelPrices, ModelProvider } from "@syla/contracts/model-config";
export type {
  LlmCall,
  LlmCallText,
  LlmTotals,
  Model,
  ModelTest,
  ModelUsage,
  SpendCap,
  SpendCapInput,
  SpendPeriod,
} from "@syla/contracts/models";
export type { Credential, CredentialKind, CredentialUse, KeyRotation } from "@syla/contracts/credentials";
export type { Team, TeamInvitation, TeamMember, TeamRole } from "@syla/contracts/teams";
export type { Me, Role, Session, User } from "@syla/contracts/accounts";
export type { ApiKey, ApiKeyScope, NewApiKey } from "@syla/contracts/api-keys";
export type { DeviceCode, DeviceRequest } from "@syla/contracts/device-login";
export type { Invitation, NewInvitation, OneTimeLink, SignUpMode } from "@syla/contracts/sign-up";
export type { Identity } from "@syla/contracts/identities";
export type {
  Artifact,
  FileInput,
  LimitsInput,
  Requeued,
  Run,
  RunError,
  RunEvent,
  RunFilter,
  RunFrame,
  RunInputDraft,
  ProgramRunInputDraft,
  RunStatus,
  RunSuggestion,
  RunSummary,
  RunTransition,
  SourceExcerpt,
  LeastTier,
  Tier,
} from "@syla/contracts/runs";
export type { ClaimedRun, Queue, QueuedRun, RunWait, WaitReason } from "@syla/contracts/queue";
export type { RunFigures, RunTotals } from "@syla/contracts/run-totals";
export type { RunTrace, Span, SpanLlm, SpanNode } from "@syla/contracts/traces";
export type { BulkAction, BulkRunsInputDraft, BulkRunsResult, RerunInputDraft, RunFile } from "@syla/contracts/run-controls";
export type { ArtifactLink, ArtifactLinkInputDraft } from "@syla/contracts/artifacts";
export type { FileMatch, FoundFile, FoundFiles } from "@syla/contracts/file-search";
export type { FoundLine, FoundLines } from "@syla/contracts/log-search";
export type { LogLevel } from "@syla/contracts/log-levels";
export type { LogLine } from "@syla/contracts/log-lines";
export type { ArtifactDiff, ComparedRun, MetricDiff, ModelCallDiff, OutputDiff, RunComparison } from "@syla/contracts/run-comparison";
export type { QueueFigures, SandboxPool, Worker } from "@syla/contracts/workers";
export type { AuditEvent, AuditProblem, AuditVerification } from "@syla/contracts/audit";
export type { KeyQuota, KeyQuotaInput, KeyQuotaName, KeyQuotas, Quota, QuotaInput, QuotaName } from "@syla/contracts/quotas";
export type { Usage, UsageBy, UsageDay, UsageFigures, UsageGroupFigures, UsageGroups } from "@syla/contracts/usage";
export type { CacheStats } from "@syla/contracts/cache";
export type {
  FileCoverage,
  TestCase,
  TestDetail,
  TestReport,
  TestResult,
  TestsDraft,
  TestSummary,
  TestVerdict,
} from "@syla/contracts/tests";
export type { Sandbox, SandboxInputDraft, SandboxStats } from "@syla/contracts/sandboxes";
export type { SandboxContext, SandboxContextEvent } from "@syla/contracts/sandboxes/contexts";
export type { SandboxFile } from "@syla/contracts/sandboxes/files";
export type { SandboxPort, SandboxPreview } from "@syla/contracts/sandboxes/ports";
export type { SandboxExecResult, SandboxProcess, SandboxProcessEvent } from "@syla/contracts/sandboxes/processes";
export type { EnvironmentImage, EnvironmentImageEvent, EnvironmentImagePhase } from "@syla/contracts/environment-images";
export type {
  Environment,
  EnvironmentError,
  EnvironmentEvent,
  EnvironmentPackage,
  EnvironmentPhase,
  EnvironmentState,
  EnvironmentStorage,
  EnvironmentSummary,
  ProgramEnvironment,
  ProgramSandbox,
} from "@syla/contracts/environments";
export type { RunOptions, Runtime } from "@syla/contracts/runtimes";
