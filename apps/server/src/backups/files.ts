import { join } from "node:path";
import type { DataDirectory } from "../platform/data-directory.ts";

/** The keys of the credentials, which may be kept outside the data directory. */
export const keysFile = "credential-keys.json";

/** A file that is backed up, by its name in a data directory. */
export interface KeptPath {
  readonly name: string;
  readonly path: string;
}

/**
 * The files of a data directory that a backup holds: the secret that tokens and links are signed with, the keys of the credentials, the settings, and
 * the password of the embedded database. Sandboxes, logs and environments are not among them: they are made again.
 */
export function keptFiles(directory: DataDirectory, credentialKeysFile = directory.credentialKeysFile): KeptPath[] {
  return [
    { name: "secret", path: directory.secretFile },
    { name: keysFile, path: credentialKeysFile },
    { name: "config.json", path: join(directory.root, "config.json") },
    { name: "postgres/password", path: join(directory.postgres, "password") },
  ];
}
