import type { AccessLevel } from "@syla/contracts/access";
import type { RouteName } from "@syla/contracts/routes";

/** What somebody needs for a route: nothing, an account, a role, or a level on a thing. */
export type Need =
  | "nothing"
  | "account"
  | "developer"
  | "admin"
  | { readonly run: AccessLevel }
  | { readonly sandbox: AccessLevel }
  | { readonly team: "member" | "owner" };

/** How a route is called. `PARAM` in a path is filled in by the test. */
export interface Expectation {
  readonly need: Need;
  /** Besides the thing's own id. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
}

const here = "path=%2Fworkspace%2Fa";
const sandbox = (level: AccessLevel, more: Omit<Expectation, "need"> = {}): Expectation => ({ need: { sandbox: level }, ...more });
const run = (level: AccessLevel, more: Omit<Expectation, "need"> = {}): Expectation => ({ need: { run: level }, ...more });
const team = (role: "member" | "owner", more: Omit<Expectation, "need"> = {}): Expectation => ({ need: { team: role }, ...more });
const account = (more: Omit<Expectation, "need"> = {}): Expectation => ({ need: "account", ...more });
const admin = (more: Omit<Expectation, "need"> = {}): Expectation => ({ need: "admin", ...more });
const nowhere = { language: "no-such-language", code: "1" };
const pid = { pid: "77" };
const port = { port: "8080" };
const context = { contextId: "ctx_none" };

/** Every route of the product, and who may use it. A route that is missing here fails the test. */
export const expectations: Readonly<Partial<Record<RouteName, Expectation>>> = {
  getHealth: { need: "nothing" },
  getReady: { need: "nothing" },
  getServer: { need: "nothing" },
  getSetup: { need: "nothing" },
  completeSetup: { need: "nothing", body: {} },
  signIn: { need: "nothing", body: {} },
  getDoctor: { need: "developer" },

  signOut: account(),
  listSessions: account(),
  revokeSession: account({ params: { id: "sess_none" } }),
  getMe: account(),
  listApiKeys: account(),
  createApiKey: account({ body: {} }),
  deleteApiKey: account({ params: { id: "key_none" } }),
  listRuntimes: account(),
  uploadBlob: account({ body: "bytes" }),
  getCache: account(),
  clearCache: account({ query: "runId=run_none" }),
  listWorkers: admin(),
  listPools: admin(),

  createExecution: account({ body: nowhere }),
  createRun: account({ body: nowhere }),
  listRuns: account(),
  getRun: run("view"),
  streamRun: run("view"),
  downloadLog: run("view"),
  listArtifacts: run("view"),
  downloadArtifact: run("view", { params: { artifactId: "ARTIFACT" } }),
  getTestReport: run("view"),
  getRunNetwork: run("view"),
  readRunFile: run("view", { query: "path=main.sh" }),
  readRunStdin: run("view"),
  rerunRun: run("run"),
  cancelRun: run("edit"),
  updateRun: run("admin", { body: { visibility: "private" } }),

  createSandbox: account({ body: { language: "no-such-language" } }),
  listSandboxes: account(),
  getSandbox: sandbox("view"),
  getSandboxNetwork: sandbox("view"),
  updateSandbox: sandbox("edit", { body: {} }),
  pauseSandbox: sandbox("edit"),
  resumeSandbox: sandbox("edit"),
  execInSandbox: sandbox("edit", { body: { command: "true" } }),
  streamExec: sandbox("edit", { body: { command: "true" } }),
  startProcess: sandbox("edit", { body: { command: "true" } }),
  listProcesses: sandbox("edit"),
  streamProcess: sandbox("edit", { params: pid }),
  writeProcess: sandbox("edit", { params: pid, body: "bytes" }),
  signalProcess: sandbox("edit", { params: pid, body: {} }),
  openTerminal: sandbox("edit", { params: pid }),
  listSandboxFiles: sandbox("edit", { query: here }),
  watchSandboxFiles: sandbox("edit", { query: here }),
  statSandboxFile: sandbox("edit", { query: here }),
  readSandboxFile: sandbox("edit", { query: here }),
  writeSandboxFile: sandbox("edit", { query: here, body: "bytes" }),
  updateSandboxFile: sandbox("edit", { query: here, body: { mode: 420 } }),
  moveSandboxFile: sandbox("edit", { query: here, body: { path: "b" } }),
  deleteSandboxFile: sandbox("edit", { query: here }),
  createSandboxFolder: sandbox("edit", { body: { path: "b" } }),
  createContext: sandbox("edit", { body: {} }),
  listContexts: sandbox("edit"),
  runInContext: sandbox("edit", { params: context, body: { code: "1" } }),
  interruptContext: sandbox("edit", { params: context }),
  restartContext: sandbox("edit", { params: context }),
  deleteContext: sandbox("edit", { params: context }),
  getSandboxStats: sandbox("edit"),
  listSandboxPorts: sandbox("edit"),
  openPort: sandbox("edit", { params: port }),
  openPreview: sandbox("edit", { params: port, body: {} }),
  revokePreview: sandbox("edit", { params: port }),
  deleteSandbox: sandbox("admin"),

  getAccess: run("view", { query: "resourceType=run&resourceId=ID" }),
  listPeople: run("admin", { query: "resourceType=run&resourceId=ID" }),
  listGrants: run("admin", { query: "resourceType=run&resourceId=ID" }),
  createGrant: run("admin", { body: { resourceType: "run", resourceId: "ID", email: "nobody@example.org", level: "view" } }),
  createShareLink: run("admin", { body: { resourceType: "run", resourceId: "ID", level: "view" } }),
  updateGrant: run("admin", { params: { id: "GRANT" }, body: { level: "view" } }),
  deleteGrant: run("admin", { params: { id: "GRANT" } }),
  redeemShareLink: account({ body: {} }),

  listTeams: account(),
  createTeam: { need: "developer", body: { name: "Compilers" } },
  joinTeam: account({ body: {} }),
  getTeam: team("member"),
  listTeamMembers: team("member"),
  updateTeam: team("owner", { body: {} }),
  getTeamGrants: team("owner"),
  updateTeamMember: team("owner", { params: { userId: "MEMBER" }, body: { role: "member" } }),
  removeTeamMember: team("owner", { params: { userId: "MEMBER" } }),
  listTeamInvitations: team("owner"),
  inviteToTeam: team("owner", { body: { email: "nobody@example.org" } }),
  revokeTeamInvitation: team("owner", { params: { invitationId: "INVITATION" } }),
  deleteTeam: team("owner"),

  getSignUp: { need: "nothing" },
  requestSignUp: { need: "nothing", body: {} },
  completeSignUp: { need: "nothing", body: {} },
  requestPasswordReset: { need: "nothing", body: {} },
  completePasswordReset: { need: "nothing", body: {} },
  createPasswordReset: admin({ params: { id: "user_none" } }),
  requestEmailVerification: account({ body: {} }),
  confirmEmail: { need: "nothing", body: {} },
  listInvitations: admin(),
  createInvitation: admin({ body: {} }),
  revokeInvitation: admin({ params: { id: "inv_none" } }),
  listIdentityProviders: { need: "nothing" },
  startProviderSignIn: { need: "nothing", params: { provider: "none" } },
  finishProviderSignIn: { need: "nothing", params: { provider: "none" } },
  finishProviderSecondFactor: { need: "nothing", body: {} },
  listIdentities: account(),
  linkIdentity: account({ body: {} }),
  unlinkIdentity: account({ params: { id: "acct_none" } }),
  createToken: { need: "nothing", body: {} },
  revokeToken: { need: "nothing", body: {} },
  updateMe: account({ body: {} }),
  changePassword: account({ body: {} }),
  listApiKeyScopes: account(),
  getTwoFactor: account(),
  beginTwoFactor: account({ body: {} }),
  confirmTwoFactor: account({ body: {} }),
  disableTwoFactor: account({ body: {} }),
  createDeviceCode: { need: "nothing", body: {} },
  redeemDeviceCode: { need: "nothing", body: {} },
  getDeviceRequest: account({ params: { userCode: "BCDF-GHJK" } }),
  decideDeviceRequest: account({ params: { userCode: "BCDF-GHJK" }, body: {} }),

  listUsers: admin(),
  getUser: admin({ params: { id: "user_none" } }),
  updateUser: admin({ params: { id: "user_none" }, body: {} }),
  suspendUser: admin({ params: { id: "user_none" }, body: {} }),
  reactivateUser: admin({ params: { id: "user_none" } }),
  signOutUser: admin({ params: { id: "user_none" } }),
  deleteUser: admin({ params: { id: "user_none" } }),
  impersonateUser: admin({ params: { id: "user_none" }, body: {} }),
  getImpersonation: account(),
  stopImpersonation: account(),
  exportMyData: account(),
  deleteMe: account({ body: {} }),
  listAnnouncements: account(),
  createAnnouncement: admin({ body: {} }),
  deleteAnnouncement: admin({ params: { id: "ann_none" } }),
  listDeliveries: admin(),
  getDelivery: admin({ params: { id: "dlv_none" } }),
  retryDelivery: admin({ params: { id: "dlv_none" } }),
  getAdminOverview: admin(),
  listSettings: admin(),
  listAudit: admin(),
  exportAudit: admin(),
  verifyAudit: admin(),
  listQuotas: account(),
  getQuotas: account({ params: { userId: "user_none" } }),
  updateQuotas: admin({ params: { userId: "user_none" }, body: {} }),
  getUsage: account(),

  listNotifications: account(),
  countNotifications: account(),
  followNotifications: account(),
  updateNotification: account({ params: { id: "ntf_none" }, body: { read: true } }),
  readAllNotifications: account({ body: {} }),
  deleteNotification: account({ params: { id: "ntf_none" } }),
  getNotificationPreferences: account(),
  updateNotificationPreferences: account({ body: {} }),
  rotateWebhookSecret: account(),
  testNotificationChannel: account({ body: {} }),
};
