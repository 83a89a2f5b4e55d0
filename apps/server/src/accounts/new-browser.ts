import type { FastifyRequest } from "fastify";
import { notify } from "../notifications/service.ts";
import type { Queries } from "../platform/database.ts";

/** Tells a person of a sign-in where they never had signed in before: if it was not them, they can end it. */
export async function tellOfNewBrowser(queries: Queries, userId: string, { ip, headers }: FastifyRequest): Promise<void> {
  const agent = (headers["user-agent"] ?? "an unknown program").replaceAll(/\p{Cc}/gu, " ").slice(0, 200);
  await queries.transaction().execute((work) =>
    notify(work, {
      userId,
      type: "sign_in_new_device",
      title: "You have signed in on a new device",
      body: `From ${ip}, with ${agent}. If that was not you, end the session and change your password.`,
      link: "/settings/sessions",
      details: { ip },
    }),
  );
}
