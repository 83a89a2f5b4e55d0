import { existsSync, readdirSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import { z } from "zod";
import type { Config } from "../config.ts";
import { noClaims, openOwnClaims, openSharedClaims, type Claims } from "../platform/blob-claims.ts";
import { openBackup, type BlobBackup } from "../platform/blob-backup.ts";
import { openBlobs, type Blobs, type LocalBlobs } from "../platform/blobs.ts";
import { readIfPresent, writePrivateFile, type DataDirectory } from "../platform/data-directory.ts";
import type { Queries } from "../platform/database.ts";
import type { S3Target } from "../platform/s3-client.ts";
import type { Replica } from "./inspection.ts";
import { deleteColdOf, listColdStores } from "./tiers/store.ts";
import { openTiers, type Tiers } from "./tiers/tiers.ts";

type StoreConfig = Pick<
  Config,
  | "storage"
  | "storageBackup"
  | "storageColdDays"
  | "s3Endpoint"
  | "s3Bucket"
  | "s3Region"
  | "s3Prefix"
  | "s3AccessKeyId"
  | "s3SecretAccessKey"
>;

/** A place that content can be in. */
export interface StorePlace<Opened extends Blobs = Blobs> {
  readonly kind: "local" | "s3";
  /** By which it is known: in the notes of collecting, and in the data directory. */
  readonly name: string;
  /** For people. */
  readonly place: string;
  open(claims?: Claims): Promise<Opened>;
}

/** The store of a server. */
export interface OpenedStore extends Omit<StorePlace, "open"> {
  readonly blobs: Blobs;
  readonly claims: Claims;
  /** Other stores that may hold the same content. */
  readonly replicas: readonly Replica[];
  /** The other store of the installation, in which content may be copied before it is moved. */
  readonly copyTarget: { readonly place: string; readonly blobs: Blobs } | null;
  /** When content that nobody has read for long is in a bucket, or goes there. */
  readonly tiers: Tiers | null;
  close(): Promise<void>;
}

const Marker = z.object({ id: z.string(), holds: z.string() });
type Marker = z.infer<typeof Marker>;

/**
 * Opens the store that is configured. Whoever calls holds the lock of the data directory.
 *
 * @throws AppError `storage_moved` when the content is in another one, `storage_unavailable`
 */
export async function openStore(config: StoreConfig, directory: DataDirectory, queries: Queries): Promise<OpenedStore> {
  const { wanted, current, local, remote } = findStores(config, directory);
  if (wanted.name !== current) {
    throw new AppError("storage_moved", { message: `The content of this installation is in ${placeOf(current)}, not in ${wanted.place}.` });
  }
  await using opened = new AsyncDisposableStack();
  const claims = wanted.kind === "local" ? await openOwnClaims(queries, wanted.name) : openSharedClaims(queries, wanted.name);
  const tiers = await openTiersOf(config, queries, { wanted, local, remote }, claims);
  const blobs = opened.adopt(tiers?.blobs ?? (await wanted.open(claims)), (value) => value.close());
  const other = wanted.kind === "local" ? remote : local;
  const hasReplica = wanted.kind === "local" || hasContent(directory.blobs);
  // A replica that does not answer is no reason not to start.
  const replica = other === null ? null : await other.open(noClaims).catch(() => null);
  if (replica !== null) opened.adopt(replica, (value) => value.close());
  const copyTarget = other === null || replica === null ? null : { place: other.place, blobs: replica };
  const replicas: Replica[] = copyTarget !== null && hasReplica ? [{ name: copyTarget.place, blobs: copyTarget.blobs }] : [];
  if (config.storageBackup !== undefined) {
    const backup = opened.adopt(openConfiguredBackup(config.storageBackup), (value) => value.close());
    replicas.push({ name: config.storageBackup, blobs: backup });
  }
  const { kind, name, place } = wanted;
  const owned = opened.move();
  return { kind, name, place, blobs, claims, replicas, copyTarget, tiers, close: () => owned.disposeAsync() };
}

/** @throws AppError `storage_moved` when the bucket is not configured that has some of the content, `storage_unavailable` */
async function openTiersOf(
  { storageColdDays }: StoreConfig,
  queries: Queries,
  { wanted, local, remote }: Pick<Stores, "wanted" | "local" | "remote">,
  claims: Claims,
): Promise<Tiers | null> {
  const elsewhere = (await listColdStores(queries)).filter((name) => name !== remote?.name);
  if (elsewhere.length > 0)
    throw new AppError("storage_moved", {
      message: `Content that nobody had read for long is in ${elsewhere.map(placeOf).join(" and ")}, and there are no settings for it.`,
      hint: "Give the `SYLA_S3_…` settings of that bucket, with `SYLA_STORAGE=local`; `syla server storage recall` takes everything back.",
    });
  if (wanted.kind === "s3") {
    await deleteColdOf(queries, wanted.name);
    return null;
  }
  const isUsed = storageColdDays !== undefined || (await listColdStores(queries)).length > 0;
  if (!isUsed || remote === null) return null;
  await using opened = new AsyncDisposableStack();
  const hot = opened.adopt(await local.open(claims), (value) => value.close());
  const cold = await remote.open(noClaims);
  opened.move(); // both are closed as one
  const coldMs = storageColdDays === undefined ? null : storageColdDays * dayMs;
  return openTiers({ queries, hot, cold, store: remote.name, place: remote.place, coldMs });
}

const dayMs = 24 * 60 * 60 * 1000;

/** @throws AppError `config_invalid` */
function openConfiguredBackup(folder: string): BlobBackup {
  try {
    return openBackup(folder);
  } catch (cause) {
    throw new AppError("config_invalid", {
      message: `SYLA_STORAGE_BACKUP: ${folder} is not the folder of a store.`,
      hint: "It is the folder `blobs` of a copy of a data directory, with `packs` and `sha256` in it.",
      cause,
    });
  }
}

/** The stores of an installation: that which is configured, and the name of that which holds its content. */
export interface Stores {
  readonly wanted: StorePlace;
  readonly current: string;
  readonly local: StorePlace<LocalBlobs>;
  readonly remote: StorePlace | null;
}

/** Finds out where the content is; a new installation begins where it is configured. */
export function findStores(config: StoreConfig, directory: DataDirectory): Stores {
  const file = join(directory.root, "storage.json");
  const marker = readMarker(file);
  const id = marker?.id ?? randomBytes(8).toString("hex");
  const local: StorePlace<LocalBlobs> = {
    kind: "local",
    name: `local:${id}`,
    place: directory.blobs,
    open: (claims = noClaims) => openBlobs(directory.blobs, claims),
  };
  const remote = remoteStore(config, directory);
  const wanted = config.storage === "s3" && remote !== null ? remote : local;
  const current = marker?.holds ?? (hasContent(directory.blobs) ? local : wanted).name;
  if (marker === undefined) writeMarker(directory, { id, holds: current });
  return { wanted, current, local, remote };
}

/** From now on the content of the installation is in this store. */
export function noteStore(directory: DataDirectory, { name }: StorePlace): void {
  const marker = readMarker(join(directory.root, "storage.json"));
  if (marker !== undefined) writeMarker(directory, { ...marker, holds: name });
}

function writeMarker(directory: DataDirectory, marker: Marker): void {
  writePrivateFile(join(directory.root, "storage.json"), `${JSON.stringify(marker)}\n`);
}

function readMarker(file: string): Marker | undefined {
  const text = readIfPresent(file);
  if (text === undefined) return undefined;
  try {
    return Marker.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError("data_dir_unusable", {
      message: `${file} is damaged.`,
      hint: 'It should read {"id":"…","holds":"…"}, as in a backup of the directory.',
      cause,
    });
  }
}

function remoteStore(config: StoreConfig, directory: DataDirectory): StorePlace | null {
  const { s3Endpoint: endpoint, s3Bucket: bucket, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = config;
  if (endpoint === undefined || bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) return null;
  const target: S3Target = { endpoint, bucket, region: config.s3Region, prefix: config.s3Prefix, accessKeyId, secretAccessKey };
  const place = `${endpoint}/${bucket}/${target.prefix}`;
  const open = async (claims: Claims = noClaims) => {
    const { openS3Blobs } = await import("../platform/s3-blobs.ts"); // with its client, which only those load who have a bucket
    return await openS3Blobs(target, join(directory.root, "incoming"), claims);
  };
  return { kind: "s3", name: `s3:${place}`, place, open };
}

function placeOf(name: string): string {
  return name.startsWith("local:") ? "the data directory" : name.slice("s3:".length);
}

function hasContent(folder: string): boolean {
  const packs = join(folder, "packs");
  if (existsSync(packs) && readdirSync(packs).some((name) => name.endsWith(".pack"))) return true;
  const files = join(folder, "sha256");
  return existsSync(files) && readdirSync(files).some((name) => readdirSync(join(files, name)).length > 0);
}
