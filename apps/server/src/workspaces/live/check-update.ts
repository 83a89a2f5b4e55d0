import { AppError } from "@syla/contracts/errors";
import { liveTextName, mostLiveBytes, mostLiveInsert } from "@syla/contracts/workspace-live";
import * as Y from "yjs";
import { checkUpdate as checkBy, refuseUpdate, type DocumentRules, type NewContent } from "../../live/service.ts";

/** A document of text: text in the one text, and nothing else. */
const rules: DocumentRules = {
  checkItem({ content, parent, parentSub }) {
    if (parentSub !== null || parent instanceof Y.ID || (typeof parent === "string" && parent !== liveTextName))
      throw refuseUpdate("It is of something else than the text.");
    if (content instanceof Y.ContentDeleted) return;
    if (!(content instanceof Y.ContentString)) throw refuseUpdate("It is no text.");
    if (/[\0\r]/.test(content.str)) throw refuseUpdate("It holds characters that no line has.");
  },
  checkSize(document, inserted) {
    if (inserted > mostLiveInsert || document.getText(liveTextName).length + inserted > mostLiveBytes) throw new AppError("live_too_large");
  },
};

/** Reads a change of a file's text, as hostile as it may be. @throws AppError `live_update_invalid`, `live_too_large`; RestsOnUnknownError */
export function checkUpdate(document: Y.Doc, update: Uint8Array): NewContent {
  return checkBy(document, update, rules);
}
