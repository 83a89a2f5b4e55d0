import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider, type AccountClaims } from "oidc-provider";

/** An OpenID Connect issuer on loopback: the certified implementation `oidc-provider`, with people who sign in by their name alone. */
export interface TestIssuer {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** What it says of each person, by their subject. May be changed at any time. */
  readonly people: Record<string, Omit<AccountClaims, "sub">>;
  /** Answers from now on; PKCE is demanded. */
  serve(redirectUri: string): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startTestIssuer(): Promise<TestIssuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [clientId, clientSecret] = ["syla", "a-secret-of-the-client-that-is-long-enough"];
  const people: TestIssuer["people"] = {};
  return {
    url,
    clientId,
    clientSecret,
    people,
    serve(redirectUri) {
      const provider = new Provider(url, {
        clients: [
          {
            client_id: clientId,
            client_secret: clientSecret,
            redirect_uris: [redirectUri],
            token_endpoint_auth_method: "client_secret_post",
          },
        ],
        pkce: { required: () => true },
        claims: { email: ["email", "email_verified"], profile: ["name"] },
        cookies: { keys: ["of this test"] },
        ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
        findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
      });
      const answer = provider.callback();
      server.on("request", (request, response) => void answer(request, response));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
