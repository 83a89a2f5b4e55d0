/** Things of somebody else, and a few of the caller's own to name them in. */
export interface ForeignIds {
  readonly ownerId: string;
  readonly runId: string;
  readonly assetId: string;
  readonly modelId: string;
  readonly datasetId: string;
  readonly workspaceId: string;
  readonly teamId: string;
  /** Of each kind of credential, by kind. */
  readonly credentials: Readonly<Record<"model" | "git" | "index" | "program", string>>;
  /** The hash of content that the owner alone has uploaded. */
  readonly blob: string;
  readonly own: {
    readonly runId: string;
    readonly programId: string;
    readonly workspaceId: string;
    readonly modelId: string;
    readonly teamId: string;
  };
}

/** A call that names somebody else's thing in its body or its query, and what the answer has to say. */
export interface ForeignCall {
  readonly name: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly refusal: RegExp;
}

const missing = /"code":"not_found"/;
const notForYou = /"code":"(not_found|forbidden)"/;
const unusable = /"code":"credential_unusable"/;
const git = "https://git.example.org/a.git";
const provider = { provider: "openai", modelId: "m", prices: { input: 1, output: 1 } };
const program = { runtime: "bash", entrypoint: "main.sh" };
const files = [{ path: "main.sh", content: "echo 1" }];

/** A graph that uses a program. */
const graphWith = (id: string) => ({
  format: 1,
  nodes: [{ id: "a", kind: "program", config: { program: { id }, command: ["x"] } }],
  edges: [],
});

/** Every place where a body or a query takes the id of something that may be somebody else's. */
export function foreignCalls(ids: ForeignIds): ForeignCall[] {
  const { ownerId, runId, assetId, modelId, datasetId, workspaceId, teamId, credentials, blob, own } = ids;
  const post = (name: string, path: string, body: object, refusal: RegExp): ForeignCall => ({
    name,
    method: "POST",
    path: `/api/v1${path}`,
    body,
    refusal,
  });
  const patch = (name: string, path: string, body: object, refusal: RegExp): ForeignCall => ({
    ...post(name, path, body, refusal),
    method: "PATCH",
  });
  const get = (name: string, path: string, refusal: RegExp): ForeignCall => ({ name, method: "GET", path: `/api/v1${path}`, refusal });
  return [
    post("a run of a program", "/runs", { programId: assetId }, missing),
    post(
      "a run with a dataset",
      "/runs",
      { programId: own.programId, datasets: [{ id: datasetId }] },
      /"code":"(not_found|dataset_\w+|invalid_request)"/,
    ),
    post(
      "a run with a model",
      "/runs",
      { programId: own.programId, modelId },
      /"code":"(not_found|unknown_model|forbidden|invalid_request)"/,
    ),
    post("a run with content", "/runs", { files: [{ path: "main.sh", blob }], entrypoint: "main.sh" }, /"code":"blob_unknown"/),
    post("a run in a workspace", "/runs", { code: "echo 1", entrypoint: "main.sh", workspaceId }, missing),
    post("an execution in a workspace", "/executions", { code: "echo 1", entrypoint: "main.sh", workspaceId }, missing),
    post("a workspace of a program", "/workspaces", { name: "W", source: { kind: "program", programId: assetId } }, missing),
    post("a workspace of a workspace", "/workspaces", { name: "W", source: { kind: "workspace", workspaceId } }, missing),
    post("a workspace of content", "/workspaces", { name: "W", files: [{ path: "a", blob }] }, /"code":"blob_unknown"/),
    post("a workspace for a team", "/workspaces", { name: "W", ownerId: teamId }, notForYou),
    post("files of a workspace", `/workspaces/${own.workspaceId}/import`, { source: { kind: "workspace", workspaceId } }, missing),
    get("workspaces compared", `/workspaces/${own.workspaceId}/diff?other=${workspaceId}`, missing),
    post("a workspace given to a team", `/workspaces/${own.workspaceId}/transfer`, { ownerId: teamId }, notForYou),
    post("a copy of a workspace", `/workspaces/${workspaceId}/clone`, {}, missing),
    post("workspaces deleted", "/workspaces/bulk", { action: "delete", ids: [workspaceId] }, missing),
    post(
      "a grant on a workspace",
      "/grants",
      { resourceType: "workspace", resourceId: workspaceId, level: "view", email: "nobody@example.org" },
      missing,
    ),
    post("runs again", "/runs/bulk", { action: "retry", ids: [runId] }, missing),
    post("runs cancelled", "/runs/bulk", { action: "cancel", ids: [runId] }, missing),
    post("runs deleted", "/runs/bulk", { action: "delete", ids: [runId] }, missing),
    post("runs queued again", "/runs/requeue", { ids: [runId] }, /"code":"not_dead_letter"/),
    get("runs compared", `/runs/${own.runId}/compare/${runId}`, missing),
    { name: "results forgotten", method: "DELETE", path: `/api/v1/cache?runId=${runId}`, refusal: /"cleared":0/ },
    post("a schedule", "/schedules", { name: "S", programId: assetId, cron: "@daily" }, missing),
    post("a trigger", "/triggers", { name: "T", programId: assetId }, missing),
    post("a team's webhook", "/webhooks", { name: "W", url: "https://203.0.113.7/", events: ["run.finished"], ownerId: teamId }, notForYou),
    post("a sandbox of a program", "/sandboxes", { programId: assetId }, missing),
    post("a sandbox in a workspace", "/sandboxes", { workspaceId }, missing),
    post("a model's key", "/models", { name: "M", config: { ...provider, credentialId: credentials.model } }, unusable),
    patch("another key for a model", `/models/${own.modelId}`, { config: { ...provider, credentialId: credentials.model } }, unusable),
    post(
      "a model's secret header",
      "/models",
      { name: "M", config: { provider: "ollama", modelId: "m", secretHeaders: { "X-A": credentials.model } } },
      unusable,
    ),
    post("a model's key, tried", "/models/test", { config: { ...provider, credentialId: credentials.model } }, unusable),
    post("a model for others", "/models/test", { config: { ...provider, credentialId: credentials.model }, ownerId }, unusable),
    post("an import's key", "/imports", { source: { kind: "git", url: git, credentialId: credentials.git } }, unusable),
    post("a repository's key", "/imports/git-refs", { url: git, credentialId: credentials.git }, unusable),
    post("an import of a program", "/imports", { source: { kind: "clone", assetId } }, missing),
    post("an import into a program", "/imports", { source: { kind: "files", files }, assetId }, missing),
    post(
      "an index's key",
      "/package-indexes",
      { language: "python", name: "x", url: "https://packages.example.org/simple", packages: ["x"], credentialId: credentials.index },
      unusable,
    ),
    post(
      "a team's index",
      "/package-indexes",
      { language: "python", name: "x", url: "https://packages.example.org/simple", packages: ["x"], ownerId: teamId },
      notForYou,
    ),
    post(
      "an index's key, tried",
      "/package-indexes/test",
      { language: "python", url: "https://packages.example.org/simple", credentialId: credentials.index },
      unusable,
    ),
    post(
      "a team's index, tried",
      "/package-indexes/test",
      { language: "python", url: "https://packages.example.org/simple", ownerId: teamId },
      notForYou,
    ),
    post("a team's credential", "/credentials", { kind: "program", name: "x", value: "x", ownerId: teamId }, notForYou),
    post("another's credential", "/credentials", { kind: "program", name: "x", value: "x", ownerId }, notForYou),
    post("the system's credential", "/credentials", { kind: "program", name: "x", value: "x", ownerId: "system" }, notForYou),
    post("an asset for a team", "/assets", { type: "program", name: "x", ownerId: teamId }, notForYou),
    post("an asset for another", "/assets", { type: "program", name: "x", ownerId }, notForYou),
    post("an asset of the system", "/assets", { type: "program", name: "x", ownerId: "system" }, notForYou),
    post("a composition for another", "/compositions", { name: "x", ownerId }, notForYou),
    post("a composition for a team", "/compositions", { name: "x", ownerId: teamId }, notForYou),
    post("a graph with a program", "/compositions/problems", { graph: graphWith(assetId) }, /"code":"reference_missing"/),
    post("an asset given to a team", `/assets/${own.programId}/transfer`, { ownerId: teamId }, notForYou),
    post("a copy for a team", `/assets/${own.programId}/clone`, { ownerId: teamId }, notForYou),
    post("a copy", `/assets/${assetId}/clone`, {}, missing),
    patch("a program's model", `/assets/${own.programId}`, { config: { ...program, modelId } }, /"code":"model_unusable"/),
    post(
      "a new program's model",
      "/assets",
      { type: "program", name: "x", files, config: { ...program, modelId } },
      /"code":"model_unusable"/,
    ),
    post(
      "a program's environment with a dataset",
      `/programs/${own.programId}/environment/sandbox`,
      { datasets: [{ id: datasetId }] },
      missing,
    ),
    patch(
      "a program's secret",
      `/assets/${own.programId}`,
      { config: { ...program, secrets: [{ variable: "KEY", credentialId: credentials.program }] } },
      /"code":"(credential_unusable|invalid_request)"/,
    ),
    ...(["delete", "restore"] as const).map((action) => post(`assets: ${action}`, "/assets/bulk", { action, ids: [assetId] }, missing)),
    post("assets tagged", "/assets/bulk", { action: "tag", ids: [assetId], add: ["mine"] }, missing),
    post("assets shared", "/assets/bulk", { action: "share", ids: [assetId], level: "view", email: "nobody@example.org" }, missing),
    post("a grant", "/grants", { resourceType: "asset", resourceId: assetId, level: "view", email: "nobody@example.org" }, missing),
    post("a link", "/share-links", { resourceType: "asset", resourceId: modelId, level: "view" }, missing),
    get("a grant's thing", `/access?resourceType=asset&resourceId=${datasetId}`, missing),
    { name: "a team's heir", method: "DELETE", path: `/api/v1/teams/${own.teamId}?transferTo=${teamId}`, refusal: notForYou },
    get("another's usage", `/usage?user=${ownerId}`, notForYou),
    get("everybody's usage", "/usage?user=all", notForYou),
    get("another's keys", `/api-keys?userId=${ownerId}`, notForYou),
    get("everybody's runs", "/runs?owner=all", notForYou),
  ];
}
