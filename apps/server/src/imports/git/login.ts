import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../../access/actor.ts";
import { hostProblem, type Credentials } from "../../credentials/service.ts";
import { readGitAddress } from "./address.ts";
import type { GitLogin } from "./service.ts";

/** What lets a git server in: a stored credential, or a token for this once. */
export interface GitAccess extends GitLogin {
  readonly credentialId?: string | null | undefined;
}

/** @throws AppError `invalid_request` */
export function requireOneLogin({ credentialId, token, username }: GitAccess, path: string): void {
  if (credentialId == null || (token === undefined && username === undefined)) return;
  throw new AppError("invalid_request", { fields: [{ path, message: "is given beside a token or a user name: one of them is enough" }] });
}

/** Opens a stored credential for somebody who may use it, and for its server alone. @throws AppError `credential_…`, `git_url_invalid` */
export async function openGitLogin(
  credentials: Pick<Credentials, "requireUsable" | "reveal">,
  actor: Actor,
  id: string,
  url: string,
  path: string,
): Promise<GitLogin> {
  const address = readGitAddress(url).url;
  await credentials.requireUsable(actor, id, { kind: "git", url: address, path });
  const { username, value, host } = await credentials.reveal(id, "git");
  // It may have been given another host since, with another value.
  const problem = hostProblem(host, address);
  if (problem !== null) throw new AppError("credential_unusable", { fields: [{ path, message: problem }] });
  return { ...(username === null ? {} : { username }), token: value.reveal() };
}
