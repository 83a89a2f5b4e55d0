import { AppError } from "@syla/contracts/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Database } from "../../platform/database.ts";
import { hashToken } from "../../platform/one-time-token.ts";
import type { Actor } from "../actor.ts";
import { findLiveLink } from "./store.ts";

type Authenticate = (request: FastifyRequest, reply: FastifyReply) => Promise<Actor | null>;

/** What opening links without signing in takes. */
interface LinkOptions {
  readonly database: Database;
  /** Whether an administrator allows it, as it is now. */
  readonly areAllowed: () => boolean;
}

/**
 * Takes a share link in place of an API key, for somebody who is not signed in. While that is not allowed, they are nobody, whether the link is
 * a good one or not; with a link that is for people with an account they are nobody, too. It is looked up by its hash each time: nothing of a token can be told from how long that takes, and an end counts at once.
 *
 * @throws AppError `share_link_invalid`
 */
export function acceptShareLinks({ database, areAllowed }: LinkOptions, others: Authenticate): Authenticate {
  return async (request, reply) => {
    const token = /^Bearer +(syla_share_\S*)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (token === undefined) return await others(request, reply);
    if (!areAllowed()) return null;
    const link = token.length > 128 ? undefined : await findLiveLink(database.queries, hashToken(token));
    if (link === undefined) throw new AppError("share_link_invalid");
    return link.needs_account ? null : { userId: "", role: "end_user", via: "link", linkId: link.id, address: request.ip };
  };
}
