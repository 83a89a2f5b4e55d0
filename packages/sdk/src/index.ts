export { Syla } from "./syla.ts";
export { SylaConnectionError, SylaError, type SylaFieldProblem } from "./errors.ts";
export type { CallOptions, CreateOptions, RawContent, SylaOptions } from "./transport.ts";
export type { RetryPolicy } from "./retry.ts";
export type { FollowOptions } from "./run-events.ts";
export type { ExecuteOptions, Executions, ListRunsQuery, LogQuery, Page, Runs } from "./runs.ts";
export type { Runtimes } from "./runtimes.ts";
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
export type { NewTeamInvitation, Teams } from "./teams.ts";
export type { Accounts } from "./accounts.ts";
export type { AdminApi, ListDeliveriesQuery, ListUsersQuery } from "./admin.ts";
export type { FollowNotificationsOptions, ListNotificationsQuery, Notifications } from "./notifications.ts";
export type { AdminOverview, Announcement, Delivery, Setting, UserHoldings, UserRecord } from "@syla/contracts/admin";
export type { Notification, NotificationEvent, NotificationPreferences, NotificationType } from "@syla/contracts/notifications";
export type { Audit, AuditExportQuery, AuditQuery } from "./audit.ts";
export type { QuotaList, Quotas, ReadUsage } from "./quotas.ts";
export type { Pools, Workers, WorkersReport } from "./workers.ts";
export type { DoctorReport, ServerInfo, System } from "./system.ts";
export type { NetworkConnection, NetworkPolicy, NetworkUsage, RunNetwork, SandboxNetwork } from "@syla/contracts/network";
export type { Access, AccessLevel, AccessReason, Grant, PersonAccess, ResourceType, Visibility } from "@syla/contracts/access";
export type { Team, TeamInvitation, TeamMember, TeamRole } from "@syla/contracts/teams";
export type { Me, Role, Session, User } from "@syla/contracts/accounts";
export type { ApiKey, ApiKeyScope, NewApiKey } from "@syla/contracts/api-keys";
export type { DeviceCode, DeviceRequest } from "@syla/contracts/device-login";
export type { Invitation, NewInvitation, OneTimeLink, SignUpMode } from "@syla/contracts/sign-up";
export type {
  Artifact,
  FileInput,
  LimitsInput,
  Run,
  RunError,
  RunEvent,
  RunFilter,
  RunInputDraft,
  RunStatus,
  RunSummary,
  Tier,
} from "@syla/contracts/runs";
export type { QueueFigures, SandboxPool, Worker } from "@syla/contracts/workers";
export type { AuditEvent, AuditProblem, AuditVerification } from "@syla/contracts/audit";
export type { Quota, QuotaInput, QuotaName } from "@syla/contracts/quotas";
export type { Usage, UsageDay, UsageFigures } from "@syla/contracts/usage";
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
export type {
  Sandbox,
  SandboxContext,
  SandboxContextEvent,
  SandboxExecResult,
  SandboxFile,
  SandboxInputDraft,
  SandboxPort,
  SandboxPreview,
  SandboxProcess,
  SandboxProcessEvent,
  SandboxStats,
} from "@syla/contracts/sandboxes";
export type { Runtime } from "@syla/contracts/runtimes";
