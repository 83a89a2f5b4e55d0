import { readFileSync } from "node:fs";
import { AppError } from "@syla/contracts/errors";
import type { Config } from "../config.ts";
import { Secret } from "../platform/secret.ts";
import { openFolder, type ObjectStore } from "./repository/objects.ts";
import { openRepository, type Repository } from "./repository/repository.ts";

/** Where backups go, and what opens them. */
export type RepositoryConfig = Pick<
  Config,
  | "backupTo"
  | "backupPassphrase"
  | "backupKeyFile"
  | "backupS3Endpoint"
  | "backupS3Region"
  | "backupS3AccessKeyId"
  | "backupS3SecretAccessKey"
  | "s3Endpoint"
  | "s3Region"
  | "s3AccessKeyId"
  | "s3SecretAccessKey"
>;

const leastLength = 16;

/** Opens the repository that is configured. @throws AppError `backup_not_configured`, `backup_passphrase_wrong`, `backup_repository_unavailable`, … */
export async function openConfiguredRepository(config: RepositoryConfig, mayMake: boolean): Promise<Repository> {
  const passphrase = readPassphrase(config);
  const store = await openObjects(config);
  try {
    return await openRepository(store, passphrase, mayMake);
  } catch (error) {
    store.close();
    throw error;
  }
}

/** What opens the repository; it is in no database and in no backup. @throws AppError `backup_not_configured` */
function readPassphrase({ backupPassphrase, backupKeyFile }: RepositoryConfig): Secret {
  const passphrase = backupPassphrase ?? (backupKeyFile === undefined ? undefined : readKeyFile(backupKeyFile));
  if (passphrase === undefined)
    throw new AppError("backup_not_configured", { message: "Neither SYLA_BACKUP_PASSPHRASE nor SYLA_BACKUP_KEY_FILE is set." });
  if (passphrase.reveal().length < leastLength)
    throw new AppError("backup_not_configured", { message: `The passphrase of backups has fewer than ${leastLength} characters.` });
  return passphrase;
}

function readKeyFile(file: string): Secret {
  try {
    return new Secret(readFileSync(file, "utf8").trim());
  } catch (cause) {
    throw new AppError("backup_not_configured", { message: `SYLA_BACKUP_KEY_FILE: ${file} cannot be read.`, cause });
  }
}

async function openObjects(config: RepositoryConfig): Promise<ObjectStore> {
  const { backupTo } = config;
  if (backupTo === undefined) throw new AppError("backup_not_configured");
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(backupTo) ?? [];
  if (bucket === undefined) return await openFolder(backupTo);
  const endpoint = config.backupS3Endpoint ?? config.s3Endpoint;
  const accessKeyId = config.backupS3AccessKeyId ?? config.s3AccessKeyId;
  const secretAccessKey = config.backupS3SecretAccessKey ?? config.s3SecretAccessKey;
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined)
    throw new AppError("backup_not_configured", { message: "There are no settings for the bucket that backups go to." });
  const { openBucket } = await import("./repository/s3-objects.ts"); // with its client, which only those load who have a bucket
  return await openBucket({
    endpoint,
    bucket,
    prefix: prefix === undefined || prefix === "" ? "" : `${prefix.replace(/\/+$/, "")}/`,
    region: config.backupS3Region ?? config.s3Region,
    accessKeyId,
    secretAccessKey,
  });
}
