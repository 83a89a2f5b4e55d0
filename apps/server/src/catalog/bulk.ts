import type { BulkInput, BulkResult } from "@syla/contracts/assets";
import type { Actor } from "../access/actor.ts";
import type { Sharing } from "../access/sharing/service.ts";
import { toAppError } from "../platform/http-problem.ts";
import type { Catalog } from "./service.ts";

/** What bulk changes are made of. */
export interface BulkContext {
  readonly catalog: Catalog;
  readonly sharing: Pick<Sharing, "createGrant">;
}

/** Does the same with many assets, one after another; what is refused for one is done for the others. */
export async function changeMany({ catalog, sharing }: BulkContext, actor: Actor, input: BulkInput): Promise<BulkResult[]> {
  const change = (id: string): Promise<unknown> => {
    switch (input.action) {
      case "tag":
        return catalog.tag(actor, id, input);
      case "share": {
        const { level, email, teamId, expiresAt } = input;
        return sharing.createGrant(actor, { resourceType: "asset", resourceId: id, level, email, teamId, expiresAt });
      }
      case "delete":
        return catalog.delete(actor, id);
      default:
        return catalog.restore(actor, id);
    }
  };
  const results: BulkResult[] = [];
  for (const id of new Set(input.ids)) results.push(await attempt(id, change));
  return results;
}

async function attempt(id: string, change: (id: string) => Promise<unknown>): Promise<BulkResult> {
  try {
    await change(id);
    return { id, ok: true, error: null };
  } catch (thrown) {
    const error = toAppError(thrown);
    // A fault of ours is none of this asset's.
    if (error.status >= 500) throw thrown;
    return { id, ok: false, error: { code: error.code, message: error.message, hint: error.hint } };
  }
}
