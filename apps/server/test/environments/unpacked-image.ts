import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestRegistry } from "@syla/testkit/registry";

const manifestType = "application/vnd.oci.image.manifest.v1+json";

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

interface Settings {
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** An image as somebody gets it who pulls it. */
export interface UnpackedImage {
  readonly imageId: string;
  readonly settings: Settings;
  /** Runs a program with nothing of this machine but its kernel, as the image says: its variables, its user, its folder. */
  run(words: readonly string[], stdin?: string): string;
}

/** Pulls an image, and unpacks it below `folder`. */
export async function unpackImage(registry: TestRegistry, repository: string, digest: string, folder: string): Promise<UnpackedImage> {
  const blob = async (name: string) => Buffer.from(await (await registry.get(`${repository}/blobs/${name}`)).arrayBuffer());
  const answer = await registry.get(`${repository}/manifests/${digest}`, manifestType);
  if (answer.status !== 200) throw new Error(`${answer.status}: there is no ${repository}@${digest}`);
  const manifest = (await answer.json()) as Manifest;
  const { config: settings } = JSON.parse((await blob(manifest.config.digest)).toString()) as { config: Settings };
  const root = join(folder, "root");
  mkdirSync(root);
  for (const layer of manifest.layers) {
    writeFileSync(join(folder, "layer.tgz"), await blob(layer.digest));
    execFileSync("tar", ["-xpzf", join(folder, "layer.tgz"), "-C", root, "--no-same-owner"]);
  }
  const [uid = "", gid = ""] = settings.User.split(":");
  const walls = ["--unshare-all", "--uid", uid, "--gid", gid, "--bind", root, "/", "--proc", "/proc", "--dev", "/dev", "--clearenv"];
  const variables = settings.Env.flatMap((entry) => ["--setenv", entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]);
  return {
    imageId: manifest.config.digest,
    settings,
    run: (words, input = "") =>
      execFileSync("bwrap", [...walls, ...variables, "--chdir", settings.WorkingDir, ...words], { input }).toString(),
  };
}
