import { existsSync, openAsBlob, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Syla } from "@syla/sdk";
import { findCredential } from "../credentials/find-credential.ts";
import { usageError } from "../cli-error.ts";
import { collectFolder } from "../runs/collect-files.ts";

/** What of a source is wanted, and what lets us in. */
export interface SourceFlags {
  readonly ref?: string;
  readonly path?: string;
  readonly credential?: string;
}

type Source = Parameters<Syla["imports"]["create"]>[0]["source"];

const archive = /\.(zip|tar|tgz|tar\.gz|tar\.zst)$/i;
const uploadsAtOnce = 8;

/** What the words of a person mean: a file or folder here, an archive, `template:NAME`, a program's id, or a git repository. */
export async function readSource(syla: Syla, text: string, flags: SourceFlags, token: string | undefined): Promise<Source> {
  if (text.startsWith("template:")) return { kind: "template", template: text.slice("template:".length) };
  if (/^prog_[0-9a-z]+$/.test(text)) return { kind: "clone", assetId: text };
  const isHere = existsSync(text);
  if (isHere && flags.credential !== undefined) throw usageError("--credential is for git repositories.");
  if (!isHere && /^[./~]/.test(text)) throw usageError(`There is no file or folder ${text}.`);
  if (!isHere) {
    const { ref, path, credential } = flags;
    const stored = credential === undefined || credential === "none" ? undefined : (await findCredential(syla, credential)).id;
    return {
      kind: "git",
      url: text,
      ...(ref !== undefined && { ref }),
      ...(path !== undefined && { path }),
      ...(credential === "none" ? { credentialId: null } : stored !== undefined && { credentialId: stored }),
      ...(credential === undefined && token !== undefined && { token }),
    };
  }
  if (flags.ref !== undefined) throw usageError("--ref is for git repositories.", "Name the repository by its address.");
  if (archive.test(text)) {
    const { sha256 } = await syla.blobs.upload(await openAsBlob(text));
    return { kind: "archive", blob: sha256, name: basename(text) };
  }
  return { kind: "files", files: await uploadFiles(syla, resolve(text)) };
}

async function uploadFiles(syla: Syla, place: string): Promise<{ path: string; blob: string; executable: boolean }[]> {
  const isFolder = statSync(place).isDirectory();
  const files = isFolder ? collectFolder(place) : [{ path: place, name: basename(place), size: 0 }];
  if (files.length === 0) throw usageError(`${place} holds no files.`);
  // The folder's own name is what the program is called after.
  const prefix = isFolder ? `${basename(place)}/` : "";
  const sent: { path: string; blob: string; executable: boolean }[] = [];
  for (let start = 0; start < files.length; start += uploadsAtOnce) {
    const part = files.slice(start, start + uploadsAtOnce).map(async ({ path, name }) => {
      const { sha256 } = await syla.blobs.upload(await openAsBlob(path));
      return { path: prefix + name, blob: sha256, executable: (statSync(path).mode & 0o111) !== 0 };
    });
    sent.push(...(await Promise.all(part)));
  }
  return sent;
}
