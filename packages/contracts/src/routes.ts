import { accessRoutes } from "./access.ts";
import { accountRoutes } from "./accounts.ts";
import { artifactRoutes } from "./artifacts.ts";
import { assetRoutes } from "./assets.ts";
import { analysisRoutes } from "./analysis.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { adminRoutes } from "./admin.ts";
import { auditRoutes } from "./audit.ts";
import { backupRoutes } from "./backups.ts";
import { blobRoutes } from "./blobs.ts";
import { compositionLiveRoutes } from "./composition-live.ts";
import { compositionRoutes } from "./compositions.ts";
import { compositionRunRoutes } from "./composition-runs.ts";
import { nodeRunRoutes } from "./node-runs.ts";
import { credentialRoutes } from "./credentials.ts";
import { budgetRoutes } from "./budgets.ts";
import { cacheRoutes } from "./cache.ts";
import { datasetRoutes } from "./datasets.ts";
import { deviceLoginRoutes } from "./device-login.ts";
import { environmentImageRoutes } from "./environment-images.ts";
import { environmentRoutes } from "./environments.ts";
import { packageIndexRoutes } from "./package-indexes.ts";
import { identityRoutes } from "./identities.ts";
import { importRoutes } from "./imports.ts";
import { gatewayRoutes } from "./gateway.ts";
import { logRoutes } from "./logs.ts";
import { linkedThingRoutes } from "./linked-things.ts";
import { modelRoutes } from "./models.ts";
import { notificationRoutes } from "./notifications.ts";
import { programAnalysisRoutes } from "./program-analysis.ts";
import { programRoutes } from "./programs.ts";
import { quotaRoutes } from "./quotas.ts";
import { queueRoutes } from "./queue.ts";
import { runComparisonRoutes } from "./run-comparison.ts";
import { runTotalRoutes } from "./run-totals.ts";
import { runControlRoutes } from "./run-controls.ts";
import { runRoutes } from "./runs.ts";
import { runtimeRoutes } from "./runtimes.ts";
import { sandboxContextRoutes } from "./sandboxes/contexts.ts";
import { sandboxFileRoutes } from "./sandboxes/files.ts";
import { sandboxPortRoutes } from "./sandboxes/ports.ts";
import { sandboxProcessRoutes } from "./sandboxes/processes.ts";
import { sandboxRoutes } from "./sandboxes.ts";
import { scheduleRoutes } from "./schedules.ts";
import { settingRoutes } from "./settings.ts";
import { signUpRoutes } from "./sign-up.ts";
import { storageRoutes } from "./storage.ts";
import { systemRoutes } from "./system.ts";
import { teamRoutes } from "./teams.ts";
import { twoFactorRoutes } from "./two-factor.ts";
import { tokenRoutes } from "./tokens.ts";
import { triggerRoutes } from "./triggers.ts";
import { usageRoutes } from "./usage.ts";
import { webhookRoutes } from "./webhooks.ts";
import { workerRoutes } from "./workers.ts";
import { workspaceAnalysisRoutes } from "./workspace-analysis.ts";
import { workspaceGitRoutes } from "./workspace-git.ts";
import { workspaceLiveRoutes } from "./workspace-live.ts";
import { workspaceMirrorRoutes } from "./workspace-mirrors.ts";
import { workspaceSandboxRoutes } from "./workspace-sandboxes.ts";
import { workspaceRoutes } from "./workspaces.ts";

/** Every HTTP operation of the product, by its name (the OpenAPI `operationId`). */
export const routes = {
  ...systemRoutes,
  ...importRoutes,
  ...storageRoutes,
  ...backupRoutes,
  ...accountRoutes,
  ...apiKeyRoutes,
  ...signUpRoutes,
  ...twoFactorRoutes,
  ...deviceLoginRoutes,
  ...identityRoutes,
  ...tokenRoutes,
  ...runtimeRoutes,
  ...environmentRoutes,
  ...environmentImageRoutes,
  ...packageIndexRoutes,
  ...runRoutes,
  ...runTotalRoutes,
  ...queueRoutes,
  ...logRoutes,
  ...artifactRoutes,
  ...scheduleRoutes,
  ...runControlRoutes,
  ...runComparisonRoutes,
  ...analysisRoutes,
  ...blobRoutes,
  ...cacheRoutes,
  ...sandboxRoutes,
  ...sandboxProcessRoutes,
  ...sandboxFileRoutes,
  ...sandboxContextRoutes,
  ...sandboxPortRoutes,
  ...triggerRoutes,
  ...webhookRoutes,
  ...workerRoutes,
  ...accessRoutes,
  ...linkedThingRoutes,
  ...teamRoutes,
  ...notificationRoutes,
  ...adminRoutes,
  ...settingRoutes,
  ...auditRoutes,
  ...quotaRoutes,
  ...usageRoutes,
  ...budgetRoutes,
  ...assetRoutes,
  ...programRoutes,
  ...compositionRoutes,
  ...compositionLiveRoutes,
  ...compositionRunRoutes,
  ...nodeRunRoutes,
  ...workspaceRoutes,
  ...workspaceAnalysisRoutes,
  ...workspaceSandboxRoutes,
  ...workspaceGitRoutes,
  ...workspaceLiveRoutes,
  ...workspaceMirrorRoutes,
  ...datasetRoutes,
  ...programAnalysisRoutes,
  ...credentialRoutes,
  ...modelRoutes,
  ...gatewayRoutes,
};
export type RouteName = keyof typeof routes;
