import { AsyncLocalStorage } from "node:async_hooks";
import {
  CommonTableExpressionNameNode,
  CommonTableExpressionNode,
  InsertQueryNode,
  sql,
  WithNode,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type QueryExecutorProvider,
  type RootOperationNode,
} from "kysely";

/** A request that is to be done once, by whom and the hash of its key. */
interface OnceKey {
  readonly ownerId: string;
  readonly keyHash: string;
}

/** What requests make. Whatever else they write may be written again. */
export const onceThings: ReadonlySet<string> = new Set([
  "announcements",
  "api_keys",
  "asset_versions",
  "assets",
  "budgets",
  "credentials",
  "grants",
  "imports",
  "invitations",
  "package_indexes",
  "sandboxes",
  "schedules",
  "share_links",
  "teams",
  "triggers",
  "webhooks",
  "workspace_versions",
  "workspaces",
]);

const doing = new AsyncLocalStorage<OnceKey>();

/** Does the work of a request. The statement that makes something notes it with the request: both are there, or neither. */
export function markOnce<T>(key: OnceKey, work: () => Promise<T>): Promise<T> {
  return doing.run(key, work);
}

/** What the request in hand has made is undone: it has made nothing, and its key may be used again. */
export async function clearOnceMark(queries: QueryExecutorProvider): Promise<void> {
  const key = doing.getStore();
  if (key === undefined) return;
  await sql`update idempotent_requests set made = null
    where owner_id = ${key.ownerId} and key_hash = ${key.keyHash} and status is null`.execute(queries);
}

/** Adds the note to the statements that make something. */
export const onceMarks: KyselyPlugin = {
  transformQuery: ({ node }: PluginTransformQueryArgs): RootOperationNode => {
    const key = doing.getStore();
    const table = InsertQueryNode.is(node) ? node.into?.table.identifier.name : undefined;
    if (key === undefined || table === undefined || !InsertQueryNode.is(node) || !onceThings.has(snakeCase(table))) return node;
    const note = sql`(update idempotent_requests set made = coalesce(made, ${idOf(node) ?? ""})
      where owner_id = ${key.ownerId} and key_hash = ${key.keyHash} and status is null)`;
    const part = CommonTableExpressionNode.create(CommonTableExpressionNameNode.create("once_mark"), note.toOperationNode());
    return { ...node, with: node.with === undefined ? WithNode.create(part) : WithNode.cloneWithExpression(node.with, part) };
  },
  transformResult: ({ result }) => Promise.resolve(result),
};

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The id of the first row, where it has one. */
function idOf({ columns = [], values }: InsertQueryNode): string | null {
  const place = columns.findIndex(({ column }) => column.name === "id");
  const rows = values !== undefined && "values" in values ? (values.values as readonly { readonly values?: readonly unknown[] }[]) : [];
  const found = rows[0]?.values?.[place];
  const value = typeof found === "object" && found !== null && "value" in found ? found.value : found;
  return typeof value === "string" ? value : null;
}
