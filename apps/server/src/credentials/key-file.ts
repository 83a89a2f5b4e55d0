import { randomBytes } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import { readIfPresent, writePrivateFile } from "../platform/data-directory.ts";
import { newId } from "../platform/ids.ts";
import { seal, unseal, type MasterKeys } from "./master-keys.ts";

const keyBytes = 32;
const KeyFile = z.object({ current: z.string(), keys: z.record(z.string(), z.base64()) });
type KeyFile = z.infer<typeof KeyFile>;

/**
 * Master keys in a private file. Other servers of the same database share the file: a key that is not known here yet is looked for there.
 *
 * @throws AppError `data_dir_unusable` when the file is damaged
 */
export function openKeyFile(file: string): MasterKeys {
  let known = readKeyFile(file) ?? create(file);
  const reread = () => (known = readKeyFile(file) ?? known);
  const keyOf = (id: string): Buffer => {
    const text = known.keys[id] ?? reread().keys[id];
    if (text === undefined) throw new Error(`there is no key ${id}`);
    return Buffer.from(text, "base64");
  };
  const keys: Pick<MasterKeys, "wrap" | "unwrap"> = {
    wrap(dataKey, context) {
      const keyId = reread().current;
      return Promise.resolve({ keyId, wrapped: seal(keyOf(keyId), dataKey, context) });
    },
    unwrap: async (keyId, wrapped, context) => unseal(keyOf(keyId), wrapped, context),
  };
  return {
    ...keys,
    owns: (keyId) => keyId.startsWith("mk_"),
    holds: (keyId) => reread().keys[keyId] !== undefined,
    currentId: () => Promise.resolve(reread().current),
    async rewrap(keyId, wrapped, context) {
      const key = await keys.unwrap(keyId, wrapped, context);
      const moved = await keys.wrap(key, context);
      key.fill(0);
      return moved;
    },
    async beginRotation() {
      const made = newKey();
      known = { current: made.id, keys: { ...reread().keys, [made.id]: made.text } };
      write(file, known);
      return made.id;
    },
    async endRotation(needed) {
      const { current, keys: held } = reread();
      const retired = Object.keys(held).filter((id) => id !== current && !needed.has(id));
      known = { current, keys: Object.fromEntries(Object.entries(held).filter(([id]) => !retired.includes(id))) };
      if (retired.length > 0) write(file, known);
      return retired;
    },
  };
}

function create(file: string): KeyFile {
  const { id, text } = newKey();
  const made = { current: id, keys: { [id]: text } };
  write(file, made);
  return made;
}

function newKey(): { id: string; text: string } {
  return { id: newId("mk"), text: randomBytes(keyBytes).toString("base64") };
}

function write(file: string, content: KeyFile): void {
  writePrivateFile(file, `${JSON.stringify(content)}\n`);
}

function readKeyFile(file: string): KeyFile | undefined {
  const text = readIfPresent(file);
  if (text === undefined) return undefined;
  try {
    const content = KeyFile.parse(JSON.parse(text));
    if (Buffer.from(content.keys[content.current] ?? "", "base64").length !== keyBytes) throw new Error("no current key");
    return content;
  } catch (cause) {
    // What the file holds is in no message.
    throw new AppError("data_dir_unusable", {
      message: `${file} is damaged.`,
      hint: "Restore it: without it no credential can be opened.",
      cause,
    });
  }
}
