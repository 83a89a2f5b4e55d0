import { AppError } from "@syla/contracts/errors";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { MasterKeys, WrappedKey } from "../master-keys.ts";
import { TransitClient, type TransitTarget } from "./client.ts";

/** Where keys are sealed by a transit engine. */
export interface TransitSettings extends TransitTarget {
  /** Where the engine is mounted. */
  readonly mount: string;
  /** What the key is called there. */
  readonly key: string;
  /** How long an opened key is kept in memory; 0: not at all. */
  readonly rememberMs: number;
}

const mostRemembered = 1000;
const keyBytes = 32;
const Sealed = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v[1-9]\d{0,8}:[A-Za-z0-9+/=]{1,4096}$/) }) });
const Opened = z.object({ data: z.object({ plaintext: z.base64() }) });
const idForm = /^kms:((?:[\w-]+\/)+)([\w-]+):v[1-9]\d{0,8}$/;

/**
 * Master keys that never leave a key management service, which seals and opens the keys of credentials with the transit engine that HashiCorp
 * Vault and OpenBao have. A key's id names the mount, the key and its version, so that what another key there has sealed still opens.
 */
export function openTransitKeys({ mount, key, rememberMs, ...target }: TransitSettings): MasterKeys {
  const client = new TransitClient(target);
  const idOf = (ciphertext: string) => `kms:${mount}/${key}:${ciphertext.split(":")[1]}`;
  const open = async (keyId: string, ciphertext: string): Promise<Buffer> => {
    const { data } = await client.ask(pathOf(keyId, "decrypt"), { ciphertext }, Opened);
    const opened = Buffer.from(data.plaintext, "base64");
    if (opened.length !== keyBytes) throw new Error("the key management service answered with something that is no key");
    return opened;
  };
  const opened = new LRUCache<string, Buffer, string>({
    max: mostRemembered,
    ttl: Math.max(1, rememberMs),
    // Many who need the same at once ask once.
    fetchMethod: async (ciphertext, _stale, { context: keyId }) => await open(keyId, ciphertext),
  });
  /** A key of another name may be gone, or not be for us any more: that is no reason to leave the others as they are. */
  const openOther = async (keyId: string, ciphertext: string): Promise<Buffer> => {
    try {
      return await open(keyId, ciphertext);
    } catch (error) {
      if (error instanceof AppError && error.code === "kms_refused") throw new Error("a former key does not open this", { cause: error });
      throw error;
    }
  };
  const wrap = async (dataKey: Uint8Array): Promise<WrappedKey> => {
    const body = { plaintext: Buffer.from(dataKey).toString("base64") };
    const { ciphertext } = (await client.ask(`${mount}/encrypt/${key}`, body, Sealed)).data;
    return { keyId: idOf(ciphertext), wrapped: Buffer.from(ciphertext) };
  };
  return {
    owns: (keyId) => idForm.test(keyId),
    holds: () => true,
    currentId: async () => (await wrap(Buffer.alloc(keyBytes))).keyId,
    wrap,
    async unwrap(keyId, wrapped) {
      const ciphertext = Buffer.from(wrapped).toString("utf8");
      if (rememberMs === 0) return await open(keyId, ciphertext);
      const found = await opened.fetch(ciphertext, { context: keyId });
      if (found === undefined) throw new Error("the key was not opened");
      // The caller wipes what it got.
      return Buffer.from(found);
    },
    async rewrap(keyId, wrapped) {
      const ciphertext = Buffer.from(wrapped).toString("utf8");
      // A key of another name does not seal for this one.
      if (pathOf(keyId, "rewrap") !== `${mount}/rewrap/${key}`) return await wrap(await openOther(keyId, ciphertext));
      const { data } = await client.ask(`${mount}/rewrap/${key}`, { ciphertext }, Sealed);
      return { keyId: idOf(data.ciphertext), wrapped: Buffer.from(data.ciphertext) };
    },
    async beginRotation() {
      await client.ask(`${mount}/keys/${key}/rotate`, {}, z.unknown());
      return (await wrap(Buffer.alloc(keyBytes))).keyId;
    },
    endRotation: () => Promise.resolve([]),
  };
}

/** @throws Error for an id that is none of a transit engine */
function pathOf(keyId: string, operation: string): string {
  const [, mount, key] = idForm.exec(keyId) ?? [];
  if (mount === undefined || key === undefined) throw new Error("this is the id of no key of a transit engine");
  return `${mount}${operation}/${key}`;
}
