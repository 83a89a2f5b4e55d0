import { mostLiveGraphBytes, mostLiveGraphChange } from "@syla/contracts/composition-live";
import { AppError } from "@syla/contracts/errors";
import { flowLimits } from "@syla/contracts/flow";
import { isSharedText, sharedFieldsName } from "@syla/flow/shared-graph";
import * as Y from "yjs";
import { checkUpdate as checkBy, refuseUpdate, type DocumentRules, type NewContent } from "../../live/service.ts";

/** Names of fields and of texts are made of ids: longer ones mean nothing. */
const longestName = 2000;
/** How much a document had when that was counted last, and what has come since, bytes. */
const sizes = new WeakMap<Y.Doc, number>();

/** A graph: entries of the one map of fields, each a JSON value, and texts. Whether that is a graph is told from all of it together. */
const rules: DocumentRules = {
  checkItem({ content, parent, parentSub }) {
    if (parent instanceof Y.ID) throw refuseUpdate("It is of something else than a graph.");
    if (typeof parent === "string" && !isPlace(parent, parentSub)) throw refuseUpdate("It is of something else than a graph.");
    if (content instanceof Y.ContentDeleted) return;
    if (content instanceof Y.ContentString) {
      if (content.str.includes("\0")) throw refuseUpdate("It holds characters that no text has.");
    } else if (!(content instanceof Y.ContentAny) || !content.arr.every(isJson)) throw refuseUpdate("It is neither text nor a value.");
  },
  checkPlace({ content }, isEntry) {
    if (content instanceof Y.ContentDeleted) return;
    if (isEntry !== content instanceof Y.ContentAny) throw refuseUpdate(isEntry ? "A field has a value." : "A text is text.");
  },
  checkSize(document, _inserted, bytes) {
    if (bytes > mostLiveGraphChange) throw new AppError("live_too_large");
    let size = (sizes.get(document) ?? mostLiveGraphBytes) + bytes;
    // What was overwritten counts no more: it is measured when it seems to be too much.
    if (size > mostLiveGraphBytes) size = Y.encodeStateAsUpdate(document).length + bytes;
    if (size > mostLiveGraphBytes) throw new AppError("live_too_large");
    sizes.set(document, size);
  },
};

function isPlace(root: string, field: string | null): boolean {
  if (field !== null) return root === sharedFieldsName && field.length <= longestName;
  return root.length <= longestName && isSharedText(root);
}

/** Reads a change of a graph, as hostile as it may be. @throws AppError `live_update_invalid`, `live_too_large`; RestsOnUnknownError */
export function checkUpdate(document: Y.Doc, update: Uint8Array): NewContent {
  return checkBy(document, update, rules);
}

/** Walks without recursion, so that no value can exhaust the stack. */
function isJson(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > flowLimits.jsonDepth) return false;
    const next: unknown[] = [];
    for (const one of level) {
      if (one === null || typeof one === "string" || typeof one === "boolean" || (typeof one === "number" && Number.isFinite(one)))
        continue;
      if (typeof one !== "object" || !(Array.isArray(one) || Object.getPrototypeOf(one) === Object.prototype)) return false;
      next.push(...Object.values(one));
    }
    level = next;
  }
  return true;
}
