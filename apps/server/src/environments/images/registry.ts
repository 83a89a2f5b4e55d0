import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RevealedCredential } from "../../credentials/service.ts";
import type { Buildah } from "./buildah.ts";

/** Where images go. */
export interface Registry {
  /** `registry.example.org/team/environments`, without a tag. */
  readonly repository: string;
  readonly credential: RevealedCredential | null;
  /** It speaks plain HTTP, or its certificate is nobody's. */
  readonly isInsecure: boolean;
}

/** Sends an image of the builder's store to a registry; answers the digest of its manifest. @throws BuilderError, the signal's reason */
export async function pushImage(
  builder: Buildah,
  image: string,
  reference: string,
  { repository, credential, isInsecure }: Registry,
  signal: AbortSignal,
  log: (data: Buffer) => void,
): Promise<string> {
  const [keys, digest] = [join(builder.folder, "auth.json"), join(builder.folder, "digest")];
  const host = repository.split("/", 1)[0] ?? "";
  try {
    // A file, so that the secret is in no command line; nobody else may read the folder.
    const pair = credential === null ? null : `${credential.username ?? ""}:${credential.value.reveal()}`;
    const auths = pair === null ? {} : { [host]: { auth: Buffer.from(pair).toString("base64") } };
    writeFileSync(keys, JSON.stringify({ auths }), { mode: 0o600 });
    const words = ["--format", "oci", "--authfile", keys, "--digestfile", digest, `--tls-verify=${!isInsecure}`];
    await builder.run("push", [...words, image, `docker://${reference}`], signal, log);
    return readFileSync(digest, "utf8").trim();
  } finally {
    rmSync(keys, { force: true });
    rmSync(digest, { force: true });
  }
}
