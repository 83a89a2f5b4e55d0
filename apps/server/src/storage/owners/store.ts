import type { StorageKind } from "@syla/contracts/storage";

/** Whose content is, and of what kind, for the account of what is stored. What is not here and is referred to all the same counts as `other`. */
interface OwnedContent {
  readonly kind: StorageKind;
  /** The columns that it reads hashes from, `table.column`: together those of the list of references. */
  readonly columns: readonly string[];
  /** A query of two columns: the hash and the owner (a user, a team, `system`, or null). May answer null hashes. */
  readonly query: string;
}

/** The trees of assets of some types, and the files in them. */
const treesOf = (types: string) => `select tree_sha256, owner_id from assets where type ${types}
      union all select v.tree_sha256, a.owner_id from asset_versions v join assets a on a.id = v.asset_id where a.type ${types}
      union all select b.sha256, a.owner_id from assets a join tree_blobs b using (tree_sha256) where a.type ${types}
      union all select b.sha256, a.owner_id from asset_versions v join assets a on a.id = v.asset_id
        join tree_blobs b on b.tree_sha256 = v.tree_sha256 where a.type ${types}`;
const treeColumns = ["assets.tree_sha256", "asset_versions.tree_sha256", "tree_blobs.sha256"];

/** The trees of workspaces, as they are and were, and the files in them. */
const workspaceTrees = `select tree_sha256, owner_id from workspaces
      union all select v.tree_sha256, w.owner_id from workspace_versions v join workspaces w on w.id = v.workspace_id
      union all select h.tree_sha256, w.owner_id from workspace_heads h join workspaces w on w.id = h.workspace_id
      union all select g.tree_sha256, w.owner_id from workspace_repositories g join workspaces w on w.id = g.workspace_id`;

export const owned: readonly OwnedContent[] = [
  {
    kind: "workspaces",
    columns: [
      "workspaces.tree_sha256",
      "workspace_versions.tree_sha256",
      "workspace_heads.tree_sha256",
      "workspace_repositories.tree_sha256",
      "workspace_packs.sha256",
      "workspace_packs.index_sha256",
      "tree_blobs.sha256",
    ],
    query: `${workspaceTrees} union all select b.sha256, t.owner_id from (${workspaceTrees}) as t(tree_sha256, owner_id) join tree_blobs b using (tree_sha256)
      union all select p.sha256, w.owner_id from workspace_packs p join workspaces w on w.id = p.workspace_id
      union all select p.index_sha256, w.owner_id from workspace_packs p join workspaces w on w.id = p.workspace_id`,
  },
  { kind: "programs", columns: treeColumns, query: treesOf("<> 'dataset'") },
  {
    kind: "datasets",
    columns: [...treeColumns, "runs.config"],
    query: `${treesOf("= 'dataset'")}
      union all select dataset->'rows'->>'sha256', owner_id from runs, jsonb_array_elements(config->'datasets') as dataset
      union all select dataset->>'index', owner_id from runs, jsonb_array_elements(config->'datasets') as dataset`,
  },
  {
    kind: "analyses",
    columns: ["imports.analysis_sha256", "tree_analyses.document_sha256"],
    query: `select analysis_sha256, owner_id from imports
      union all select document_sha256, null from tree_analyses`,
  },
  {
    kind: "runs",
    columns: ["runs.config", "runs.result", "runs.tree_sha256", "node_runs.inputs_sha256", "node_runs.output_sha256"],
    query: `select file->>'sha256', owner_id from runs, jsonb_array_elements(config->'files') as file
      union all select config->'stdin'->>'sha256', owner_id from runs
      union all select n.inputs_sha256, r.owner_id from node_runs n join runs r on r.id = n.run_id
      union all select n.output_sha256, r.owner_id from node_runs n join runs r on r.id = n.run_id
      union all select config->'tests'->>'sha256', owner_id from runs
      union all select result->'tests'->>'report', owner_id from runs
      union all select tree_sha256, owner_id from runs
      union all select b.sha256, r.owner_id from (select distinct tree_sha256, owner_id from runs) as r join tree_blobs b using (tree_sha256)`,
  },
  {
    kind: "logs",
    columns: ["runs.log_sha256", "environments.log_sha256"],
    query: `select log_sha256, owner_id from runs union all select log_sha256, null from environments`,
  },
  {
    kind: "artifacts",
    columns: ["artifacts.sha256"],
    query: `select a.sha256, r.owner_id from artifacts a join runs r on r.id = a.run_id`,
  },
  { kind: "uploads", columns: ["uploads.sha256"], query: `select sha256, owner_id from uploads` },
  {
    kind: "imports",
    columns: ["imports.archive_sha256", "imports.tree_sha256", "imports.whole_tree_sha256"],
    query: `select archive_sha256, owner_id from imports where state in ('fetching', 'analysing')
      union all select tree_sha256, owner_id from imports
      union all select whole_tree_sha256, owner_id from imports
      union all select b.sha256, i.owner_id from imports i join tree_blobs b on b.tree_sha256 in (i.tree_sha256, i.whole_tree_sha256)`,
  },
  {
    kind: "environments",
    columns: ["environments.request_sha256", "environments.lock_sha256"],
    query: `select request_sha256, null from environments union all select lock_sha256, null from environments`,
  },
  { kind: "images", columns: ["environment_images.log_sha256"], query: `select log_sha256, null from environment_images` },
  {
    kind: "compilations",
    columns: ["compilations.files"],
    query: `select file->>'sha256', owner_id from compilations, jsonb_array_elements(files) as file`,
  },
];

/** All of it as one query with the columns `kind`, `sha256` and `owner_id`. */
export const ownedQuery: string = owned
  .map(({ kind, query }) => `select '${kind}' as kind, sha256, owner_id from (${query}) as part(sha256, owner_id) where sha256 is not null`)
  .join("\nunion all\n");
