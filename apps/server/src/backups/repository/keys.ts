import { createHmac, hkdfSync, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import { seal, unseal } from "../../credentials/service.ts";
import type { Secret } from "../../platform/secret.ts";

/**
 * What lies unsealed in a repository: its id, and its master key sealed with a key made of the passphrase.
 */
const KeyFile = z.object({
  format: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  kdf: z.object({
    salt: z.base64(),
    // Whoever can write to the repository chooses these: at most 256 MiB for a while.
    n: z.literal([2 ** 14, 2 ** 15, 2 ** 16, 2 ** 17, 2 ** 18]),
    r: z.literal(8),
    p: z.int().min(1).max(4),
  }),
  key: z.base64(),
});

/** Seals what a repository holds. Whoever has no key learns how many objects there are, how large, and when each came. */
export interface RepositoryKeys {
  readonly id: string;
  /** The name of what has this identity, which tells nothing of it. */
  nameOf(identity: string): string;
  seal(name: string, plain: Uint8Array): Buffer;
  /** @throws Error when it was changed, or is not what has this name */
  unseal(name: string, sealed: Uint8Array): Buffer;
}

const keyBytes = 32;
/** 64 MiB of memory for each guess. */
const cost = { n: 2 ** 16, r: 8, p: 1 } as const;
const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/** Keys of a new repository, and the text of its key file. */
export async function makeKeys(passphrase: Secret): Promise<{ keys: RepositoryKeys; text: string }> {
  const id = randomBytes(8).toString("hex");
  const salt = randomBytes(16);
  const master = randomBytes(keyBytes);
  const wrapping = await wrappingKey(passphrase, { salt: salt.toString("base64"), ...cost });
  const key = seal(wrapping, master, contextOf(id)).toString("base64");
  const text = `${JSON.stringify({ format: 1, id, kdf: { salt: salt.toString("base64"), ...cost }, key })}\n`;
  return { keys: keysOf(id, master), text };
}

/** @throws AppError `backup_passphrase_wrong`, `backup_damaged` */
export async function openKeys(text: string, passphrase: Secret): Promise<RepositoryKeys> {
  const file = parseKeyFile(text);
  const wrapping = await wrappingKey(passphrase, file.kdf);
  try {
    return keysOf(file.id, unseal(wrapping, Buffer.from(file.key, "base64"), contextOf(file.id)));
  } catch (cause) {
    throw new AppError("backup_passphrase_wrong", { cause });
  }
}

function parseKeyFile(text: string): z.infer<typeof KeyFile> {
  try {
    return KeyFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError("backup_damaged", { message: "The repository's key file is damaged, or of a newer version of Syla.", cause });
  }
}

function contextOf(id: string): string {
  return `backup repository ${id}`;
}

async function wrappingKey(passphrase: Secret, { salt, n, r, p }: z.infer<typeof KeyFile>["kdf"]): Promise<Buffer> {
  return await derive(passphrase.reveal().normalize("NFC"), Buffer.from(salt, "base64"), keyBytes, { N: n, r, p, maxmem: 256 * n * r });
}

function keysOf(id: string, master: Buffer): RepositoryKeys {
  const part = (purpose: string) => Buffer.from(hkdfSync("sha256", master, "", `syla backup ${purpose}`, keyBytes));
  const [naming, sealing] = [part("names"), part("objects")];
  // A key for each object: no number of objects makes nonces of one key meet.
  const keyOf = (name: string) => createHmac("sha256", sealing).update(name).digest();
  return {
    id,
    nameOf: (identity) => createHmac("sha256", naming).update(identity).digest("hex"),
    seal: (name, plain) => seal(keyOf(name), plain, name),
    unseal: (name, sealed) => unseal(keyOf(name), sealed, name),
  };
}
