import { signUpRoutes as routes } from "@syla/contracts/sign-up";
import type { Http } from "../../access/http.ts";
import type { Invitations } from "./invitations.ts";

/** Serves the routes of invitations. */
export function registerInvitationRoutes(http: Http, invitations: Invitations): void {
  http.bind(routes.listInvitations, ({ query }) => invitations.listInvitations(query));
  http.bind(routes.createInvitation, ({ body }, { actor }) => invitations.createInvitation(actor, body));
  http.bind(routes.revokeInvitation, async ({ params }) => {
    await invitations.revokeInvitation(params.id);
    return undefined;
  });
}
