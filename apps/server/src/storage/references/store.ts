/**
 * Everything that refers to content by its SHA-256, the one list of it. What is not here is deleted sooner or later, so a test compares the
 * list with the columns of the database: each that is called `sha256` or `…_sha256`, and each of JSON.
 */
export interface Reference {
  /** A query of two columns, the hash and who refers to it (in words, for people). May answer nulls. */
  readonly query: string;
  /** The columns that it reads hashes from, `table.column`. */
  readonly columns: readonly string[];
}

export const references: readonly Reference[] = [
  { columns: ["uploads.sha256"], query: `select sha256, 'an upload of ' || owner_id from uploads` },
  { columns: ["artifacts.sha256"], query: `select sha256, 'artifact ' || path || ' of ' || run_id from artifacts` },
  { columns: ["runs.log_sha256"], query: `select log_sha256, 'log of ' || id from runs` },
  { columns: ["runs.tree_sha256"], query: `select tree_sha256, 'files of ' || id from runs` },
  {
    columns: ["runs.config"],
    query: `select file->>'sha256', 'file ' || (file->>'path') || ' of ' || id from runs, jsonb_array_elements(config->'files') as file
      union all select config->'stdin'->>'sha256', 'stdin of ' || id from runs
      union all select config->'tests'->>'sha256', 'tests of ' || id from runs
      union all select dataset->'rows'->>'sha256', 'dataset of ' || id from runs, jsonb_array_elements(config->'datasets') as dataset
      union all select dataset->>'index', 'index of a dataset of ' || id from runs, jsonb_array_elements(config->'datasets') as dataset`,
  },
  {
    columns: ["node_runs.inputs_sha256", "node_runs.output_sha256"],
    query: `select inputs_sha256, 'what went into the node ' || path || ' of ' || run_id from node_runs
      union all select output_sha256, 'what came of the node ' || path || ' of ' || run_id from node_runs`,
  },
  { columns: ["runs.result"], query: `select result->'tests'->>'report', 'test report of ' || id from runs` },
  {
    columns: ["compilations.files"],
    query: `select file->>'sha256', 'compiled ' || (file->>'path') || ' of ' || owner_id from compilations, jsonb_array_elements(files) as file`,
  },
  {
    columns: ["imports.archive_sha256", "imports.tree_sha256", "imports.whole_tree_sha256", "imports.analysis_sha256"],
    query: `select archive_sha256, 'archive of ' || id from imports where state in ('fetching', 'analysing')
      union all select tree_sha256, 'files of ' || id from imports
      union all select whole_tree_sha256, 'all files of ' || id from imports
      union all select analysis_sha256, 'analysis of ' || id from imports`,
  },
  {
    columns: ["environments.request_sha256", "environments.lock_sha256", "environments.log_sha256"],
    query: `select request_sha256, 'what ' || id || ' is built from' from environments
      union all select lock_sha256, 'lock of ' || id from environments
      union all select log_sha256, 'log of ' || id from environments`,
  },
  { columns: ["environment_images.log_sha256"], query: `select log_sha256, 'image log of ' || environment_id from environment_images` },
  {
    columns: ["tree_analyses.document_sha256"],
    query: `select document_sha256, 'analysis of the tree ' || tree_sha256 from tree_analyses`,
  },
  { columns: ["tree_blobs.sha256"], query: `select sha256, 'a file of the tree ' || tree_sha256 from tree_blobs` },
  {
    columns: ["assets.tree_sha256", "asset_versions.tree_sha256"],
    query: `select tree_sha256, 'files of ' || id from assets union all select tree_sha256, 'files of ' || asset_id || ' ' || version from asset_versions`,
  },
  {
    columns: ["workspaces.tree_sha256", "workspace_versions.tree_sha256", "workspace_heads.tree_sha256"],
    query: `select tree_sha256, 'files of ' || id from workspaces
      union all select tree_sha256, 'files of ' || workspace_id || ' version ' || number from workspace_versions
      union all select tree_sha256, 'files of ' || workspace_id || ' at revision ' || revision from workspace_heads`,
  },
  {
    columns: ["workspace_mirrors.tree_sha256"],
    query: `select tree_sha256, 'files of what ' || workspace_id || ' mirrors' from workspace_mirrors`,
  },
  {
    columns: ["workspace_repositories.tree_sha256", "workspace_packs.sha256", "workspace_packs.index_sha256"],
    query: `select tree_sha256, 'files of ' || workspace_id || ' as git has them' from workspace_repositories
      union all select sha256, 'commits of ' || workspace_id from workspace_packs
      union all select index_sha256, 'index of commits of ' || workspace_id from workspace_packs`,
  },
];

/** Columns that look like references and are none, with the reason. */
export const noReferences: Readonly<Record<string, string>> = {
  "assets.config": "settings: what content they speak of is that of the tree",
  "asset_versions.config": "settings: what content they speak of is that of the tree",
  "asset_versions.metadata": "words",
  "environment_images.error": "a coded error",
  "package_indexes.packages": "names of packages",
  "migrations.sha256": "of the text of a migration",
  "workspaces.network": "hosts",
  "live_documents.base_sha256": "tells whether the file is another one by now; its text is in the snapshot",
  "workspaces.cloned_from": "names what it is a copy of",
  "trees.sha256": "the tree itself, which goes with its manifest",
  "tree_blobs.tree_sha256": "goes with the tree",
  "tree_analyses.tree_sha256": "goes with the tree",
  "tree_analyses.error": "a coded error",
  "blob_garbage.sha256": "of what nothing refers to",
  "cold_blobs.sha256": "where content is that others refer to",
  "storage_jobs.report": "tells of content, and does not keep it",
  "backup_jobs.report": "tells of content, and does not keep it",
  "settings.value": "facts about the installation",
  "runs.error": "a coded error",
  "node_runs.error": "what a node said when it failed",
  "node_runs.saved_llm": "figures",
  "llm_calls.attempt_log": "times and codes",
  "runs.history": "times and causes",
  "schedules.run": "arguments and the like: it takes no files",
  "sandboxes.error": "a coded error",
  "sandboxes.program": "names what it is of; its files are in the sandbox",
  "sandboxes.workspace": "names what it is in; its files are in the sandbox",
  "sandboxes.saved": "tells what became of files, and does not keep them",
  "llm_calls.request_sha256": "of a text that is kept nowhere",
  "llm_calls.response_sha256": "of a text that is kept nowhere",
  "run_network.connections": "hosts and bytes",
  "deliveries.tries": "times and the beginnings of answers",
  "webhook_events.data": "names things and holds none",
  "trigger_calls.body_sha256": "of a body that is kept as its run keeps it",
  "trigger_bodies.body_sha256": "of a body that is kept as its run keeps it",
};

/** All references as one query with the columns `sha256` and `referrer`. */
export const referenceQuery: string = references
  .map(({ query }) => `select * from (${query}) as part(sha256, referrer)`)
  .join("\nunion all\n");
