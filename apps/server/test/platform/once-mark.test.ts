import type { Route } from "@syla/contracts/route";
import { routes } from "@syla/contracts/routes";
import { expect, it } from "vitest";
import { onceThings } from "../../src/platform/once-mark.ts";

/** The tables of what each route makes. Each run that many are retried as has a key of its own. */
const tables: Readonly<Record<string, readonly string[]>> = {
  bulkRuns: [],
  cloneAsset: ["assets"],
  cloneWorkspace: ["workspaces"],
  confirmImport: ["assets"],
  createAnnouncement: ["announcements"],
  createApiKey: ["api_keys"],
  createAsset: ["assets"],
  createBudget: ["budgets"],
  createComposition: ["assets"],
  createCredential: ["credentials"],
  createDataset: ["assets", "asset_versions"],
  createGrant: ["grants"],
  createImport: ["imports"],
  createInvitation: ["invitations"],
  createModel: ["assets"],
  createPackageIndex: ["package_indexes"],
  createSandbox: ["sandboxes"],
  createSchedule: ["schedules"],
  createShareLink: ["share_links", "grants"],
  createTeam: ["teams"],
  createTrigger: ["triggers"],
  createWebhook: ["webhooks"],
  createWorkspace: ["workspaces"],
  inviteToTeam: ["invitations"],
  publishVersion: ["asset_versions"],
  snapshotWorkspace: ["workspace_versions"],
};

it("notes what each route makes that is done once for a key", () => {
  const names = Object.entries<Route>(routes).filter(([, route]) => route.once !== undefined);
  expect(names.map(([name]) => name).toSorted()).toEqual(Object.keys(tables).toSorted());
  expect([...onceThings].toSorted()).toEqual([...new Set(Object.values(tables).flat())].toSorted());
});
