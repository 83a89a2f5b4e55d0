import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** What the key of a credential is sealed with: the id of a master key, and the sealed bytes. */
export interface WrappedKey {
  readonly keyId: string;
  readonly wrapped: Buffer;
}

/** Seals the keys of credentials: in a key file, or by a key management service. */
export interface MasterKeys {
  /** Whether a key is one of these. */
  owns(keyId: string): boolean;
  /** Whether it can still open what it has sealed. */
  holds(keyId: string): boolean;
  /** The key that seals from now on. */
  currentId(): Promise<string>;
  wrap(dataKey: Uint8Array, context: string): Promise<WrappedKey>;
  /** @throws Error when it was sealed for another context, changed, or by a key that is gone */
  unwrap(keyId: string, wrapped: Uint8Array, context: string): Promise<Buffer>;
  /** The same key under the current master key. */
  rewrap(keyId: string, wrapped: Uint8Array, context: string): Promise<WrappedKey>;
  /** Makes a new key, which is the current one from then on. */
  beginRotation(): Promise<string>;
  /** Forgets the keys that are neither current nor needed. @returns the ids of those that are gone */
  endRotation(needed: ReadonlySet<string>): Promise<string[]>;
}

/** Keys that seal, and others that only open what they have sealed before. */
export function joinKeys(sealing: MasterKeys, opening: readonly MasterKeys[]): MasterKeys {
  const all = [sealing, ...opening];
  const ownerOf = (keyId: string): MasterKeys => {
    const owner = all.find((keys) => keys.owns(keyId));
    if (owner === undefined) throw new Error(`no key of the kind of ${keyId} is set up`);
    return owner;
  };
  return {
    ...sealing,
    owns: (keyId) => all.some((keys) => keys.owns(keyId)),
    holds: (keyId) => all.some((keys) => keys.owns(keyId) && keys.holds(keyId)),
    unwrap: async (keyId, wrapped, context) => await ownerOf(keyId).unwrap(keyId, wrapped, context),
    async rewrap(keyId, wrapped, context) {
      const owner = ownerOf(keyId);
      if (owner === sealing) return await sealing.rewrap(keyId, wrapped, context);
      const key = await owner.unwrap(keyId, wrapped, context);
      const moved = await sealing.wrap(key, context);
      key.fill(0);
      return moved;
    },
    async endRotation(needed) {
      const retired: string[] = [];
      for (const keys of all) retired.push(...(await keys.endRotation(needed)));
      return retired;
    },
  };
}

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM: nonce, tag, and what was sealed. `context` is what it belongs to: sealed bytes open nowhere else. */
export function seal(key: Uint8Array, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** @throws Error when it was changed, or sealed for another context or by another key */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed);
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
}
