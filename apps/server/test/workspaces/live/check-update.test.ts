import { AppError } from "@syla/contracts/errors";
import { checkUpdate } from "@syla/server/workspaces/live/check-update";
import fc from "fast-check";
import { expect, it } from "vitest";
import * as Y from "yjs";

function documentOf(text: string): Y.Doc {
  const document = new Y.Doc();
  document.getText("content").insert(0, text);
  return document;
}

/** What a replica of a document writes. */
function writtenOn(document: Y.Doc, write: (replica: Y.Doc) => void): Uint8Array {
  const replica = new Y.Doc();
  Y.applyUpdate(replica, Y.encodeStateAsUpdate(document));
  const before = Y.encodeStateVector(replica);
  write(replica);
  return Y.encodeStateAsUpdate(replica, before);
}

function codeOf(document: Y.Doc, update: Uint8Array): string | null {
  try {
    checkUpdate(document, update);
    return null;
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

const edit = fc.record({ at: fc.nat({ max: 30 }), remove: fc.nat({ max: 5 }), insert: fc.string({ maxLength: 8 }) });

it("takes whatever editors write, alone and together, and nothing of it stays over", () => {
  fc.assert(
    fc.property(fc.array(fc.array(edit, { maxLength: 6 }), { maxLength: 4 }), (people) => {
      const document = documentOf("a few words to begin with");
      const updates = people.map((edits) =>
        writtenOn(document, (replica) => {
          const text = replica.getText("content");
          for (const { at, remove, insert } of edits) {
            const place = Math.min(at, text.length);
            text.delete(place, Math.min(remove, text.length - place));
            text.insert(place, insert.replaceAll(/[\0\r]/g, ""));
          }
        }),
      );
      for (const update of [...updates, Y.mergeUpdates([...updates, Y.encodeStateAsUpdate(document)])]) {
        expect(codeOf(document, update)).toBeNull();
        Y.applyUpdate(document, update);
        expect([document.store.pendingStructs, document.store.pendingDs]).toEqual([null, null]);
        expect(checkUpdate(document, update).isEmpty).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

it("takes no bytes that leave a document waiting for what never comes", () => {
  const document = documentOf("text");
  const good = writtenOn(document, (replica) => replica.getText("content").insert(2, "more"));
  const flipped = fc
    .tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }))
    .map(([at, byte]) => good.map((old, index) => (index === at ? byte : old)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), flipped), (update) => {
      const copy = documentOf("");
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(document));
      const code = codeOf(copy, update);
      expect([null, "live_update_invalid", "live_too_large"]).toContain(code);
      if (code !== null) return;
      Y.applyUpdate(copy, update);
      expect([copy.store.pendingStructs, copy.store.pendingDs]).toEqual([null, null]);
    }),
    { numRuns: 2000 },
  );
});

it("refuses what is no text, what it rests on is missing, and what is too much", () => {
  const document = documentOf("text");
  const refused = (write: (replica: Y.Doc) => void) => codeOf(document, writtenOn(document, write));
  expect(refused((replica) => replica.getText("content").insert(0, "a\r\n"))).toBe("live_update_invalid");
  expect(refused((replica) => replica.getText("content").insertEmbed(0, { an: "image" }))).toBe("live_update_invalid");
  expect(refused((replica) => replica.getText("content").format(0, 2, { bold: true }))).toBe("live_update_invalid");
  expect(refused((replica) => replica.getText("other").insert(0, "a"))).toBe("live_update_invalid");
  expect(refused((replica) => replica.getMap("content").set("key", 1))).toBe("live_update_invalid");
  expect(refused((replica) => replica.getText("content").insert(0, "x".repeat(512 * 1024 + 1)))).toBe("live_too_large");
  // A part of what somebody wrote, without what came before.
  const replica = documentOf("");
  Y.applyUpdate(replica, Y.encodeStateAsUpdate(document));
  replica.getText("content").insert(0, "first ");
  const before = Y.encodeStateVector(replica);
  replica.getText("content").insert(0, "second ");
  expect(codeOf(document, Y.encodeStateAsUpdate(replica, before))).toBe("live_update_invalid");
  // Something swept away, which no text has.
  const swept = new Y.Doc();
  swept.getArray("content").insert(0, [new Y.Array()]);
  (swept.getArray("content").get(0) as Y.Array<number>).insert(0, [1, 2, 3]);
  swept.getArray("content").delete(0, 1);
  expect(codeOf(document, Y.encodeStateAsUpdate(swept))).toBe("live_update_invalid");
});
