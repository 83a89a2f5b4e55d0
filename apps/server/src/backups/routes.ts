import { backupRoutes as routes } from "@syla/contracts/backups";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { withEtag } from "../platform/revision.ts";
import type { Backups } from "./service.ts";
import type { WorkspaceBackups } from "./workspace-backups.ts";

/** Binds backups: of the installation for administrators, of a workspace for whoever manages it. */
export function registerBackupRoutes(http: Http, backups: Backups, ofWorkspaces: WorkspaceBackups): void {
  http.bind(routes.listBackups, () => backups.status());
  http.bind(routes.createBackup, async ({ body }, { actor, trail }) => {
    const job = await backups.create(actor, body.note);
    trail.details = { backupId: job.backupId };
    return answer(202, job);
  });
  http.bind(routes.getBackup, ({ params }) => backups.get(params.id));
  http.bind(routes.verifyBackup, async ({ params, body }, { actor, trail }) => {
    trail.details = { deep: body.deep };
    return answer(202, await backups.verify(actor, params.id, body.deep));
  });
  http.bind(routes.deleteBackup, async ({ params }, { actor }) => answer(202, await backups.delete(actor, params.id)));
  http.bind(routes.getBackupJob, ({ params }) => backups.job(params.id));
  http.bind(routes.stopBackupJob, ({ params }) => backups.stopJob(params.id));
  http.bind(routes.listWorkspaceBackups, async ({ params }, { actor }) => ({ items: await ofWorkspaces.list(actor, params.id) }));
  http.bind(routes.backUpWorkspace, async ({ params, body }, { actor, trail }) => {
    const backup = await ofWorkspaces.create(actor, params.id, body.note);
    trail.details = { backupId: backup.id };
    return answer(201, backup);
  });
  http.bind(routes.restoreWorkspaceBackup, async ({ params, body }, { actor, trail }) => {
    const workspace = await ofWorkspaces.restore(actor, params.id, params.backupId, body.into);
    trail.details = { backupId: params.backupId, into: body.into, workspaceId: workspace.id };
    return withEtag(workspace);
  });
}
