import { AppError } from "@syla/contracts/errors";
import { credentialsOf, type ModelConfig } from "@syla/contracts/model-config";
import type { Credentials } from "../credentials/service.ts";
import { Secret } from "../platform/secret.ts";

/** The secrets that calls of a model are made with. */
export interface ModelSecrets {
  /** Null: the provider asks for none. */
  readonly key: Secret | null;
  /** By the header that each is sent in. */
  readonly headers: Readonly<Record<string, Secret>>;
}

export const noSecrets: ModelSecrets = { key: null, headers: {} };

/**
 * Opens what a model's calls need. A model that has changed hands does not take its credentials along.
 *
 * @throws AppError `credential_missing`, `credential_expired`, `credential_unreadable`, `credential_unusable`, `kms_unavailable`, `kms_refused`
 */
export async function revealSecrets(
  credentials: Pick<Credentials, "reveal">,
  config: Pick<ModelConfig, "credentialId" | "secretHeaders">,
  ownerId: string,
): Promise<ModelSecrets> {
  const opened = new Map<string, Secret>();
  for (const { id } of credentialsOf(config)) {
    if (opened.has(id)) continue;
    const revealed = await credentials.reveal(id, "model");
    if (revealed.ownerId !== ownerId) throw new AppError("credential_missing", { details: { credentialId: id } });
    opened.set(id, revealed.value);
  }
  const headers: Record<string, Secret> = {};
  for (const [name, id] of Object.entries(config.secretHeaders)) {
    const value = opened.get(id) ?? new Secret("");
    if (!/^[\u0020-\u007e]+$/.test(value.reveal()))
      throw new AppError("credential_unusable", { message: `The credential of the header ${name} is no text that a header can hold.` });
    headers[name] = value;
  }
  return { key: config.credentialId === null ? null : (opened.get(config.credentialId) ?? null), headers };
}

/** All of them: what is to be read nowhere. */
export function listSecrets({ key, headers }: ModelSecrets): Secret[] {
  return [...(key === null ? [] : [key]), ...Object.values(headers)];
}
