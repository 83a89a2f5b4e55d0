import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { RouteBody } from "@syla/contracts/route";
import type { accountRoutes } from "@syla/contracts/accounts";
import type { apiKeyRoutes } from "@syla/contracts/api-keys";
import type { signUpRoutes } from "@syla/contracts/sign-up";
import type { Me } from "@syla/sdk";
import { syla } from "../app/api.ts";
import { errorCode } from "../ui/describe-error.ts";

async function readMe(signal: AbortSignal): Promise<Me | null> {
  try {
    return await syla.me.get({ signal });
  } catch (error) {
    if (errorCode(error) === "unauthenticated") return null;
    throw error;
  }
}

/** The signed-in person; null when nobody is. */
export function useMe() {
  return useQuery({ queryKey: ["me"], queryFn: ({ signal }) => readMe(signal), staleTime: 60_000 });
}

/** Whether the first admin is still to be named, and whether the link's token may do it. */
export function useSetupStatus(token?: string) {
  return useQuery({ queryKey: ["setup", token ?? ""], queryFn: ({ signal }) => syla.setup.status(token, { signal }), staleTime: 0 });
}

function useSignedIn() {
  const client = useQueryClient();
  return (user: Me) => {
    // The person's own entry is kept and changed: who shows it is watching that very entry.
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
    client.setQueryData(["me"], user);
  };
}

/** Names the first admin and signs in. */
export function useCompleteSetup() {
  const signedIn = useSignedIn();
  return useMutation({
    mutationFn: (input: RouteBody<typeof accountRoutes.completeSetup>) => syla.setup.complete(input),
    onSuccess: signedIn,
  });
}

/** Signs in with e-mail and password. */
export function useSignIn() {
  const signedIn = useSignedIn();
  return useMutation({ mutationFn: (input: RouteBody<typeof accountRoutes.signIn>) => syla.sessions.create(input), onSuccess: signedIn });
}

/** Whose accounts let people in. */
export function useSignInProviders() {
  return useQuery({ queryKey: ["sign-in-providers"], queryFn: ({ signal }) => syla.signInProviders.list({ signal }), staleTime: 60_000 });
}

/** Gives the code of the authenticator after a provider has said who it is. */
export function useProviderSecondFactor() {
  const signedIn = useSignedIn();
  return useMutation({ mutationFn: (code: string) => syla.signInProviders.secondFactor(code), onSuccess: signedIn });
}

/** Accounts elsewhere that let you in. */
export function useIdentities() {
  return useQuery({ queryKey: ["identities"], queryFn: ({ signal }) => syla.me.identities.list({ signal }) });
}

/** Begins to link one: the browser goes to the provider. */
export function useLinkIdentity() {
  return useMutation({
    mutationFn: (input: { provider: string; password: string }) => syla.me.identities.link(input),
    onSuccess: (url) => window.location.assign(url),
  });
}

/** Unlinks one. */
export function useUnlinkIdentity() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.me.identities.unlink(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["identities"] }),
  });
}

/** Signs out and forgets everything that was read. */
export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => syla.sessions.end(),
    onSettled: () => {
      client.setQueryData(["me"], null);
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
    },
  });
}

/** Your sessions. */
export function useSessions() {
  return useQuery({ queryKey: ["sessions"], queryFn: ({ signal }) => syla.sessions.list({ signal }) });
}

/** Ends one of your sessions. */
export function useRevokeSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.sessions.revoke(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["sessions"] }),
  });
}

/** Your API keys. */
export function useApiKeys(userId?: string) {
  return useQuery({ queryKey: ["api-keys", userId ?? "me"], queryFn: ({ signal }) => syla.apiKeys.list({ userId, signal }) });
}

/** Creates an API key. The answer holds the key itself, this once. */
export function useCreateApiKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: RouteBody<typeof apiKeyRoutes.createApiKey>) => syla.apiKeys.create(input),
    onSettled: () => client.invalidateQueries({ queryKey: ["api-keys"] }),
  });
}

/** Revokes an API key. */
export function useDeleteApiKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.apiKeys.delete(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["api-keys"] }),
  });
}

/** The parts of the API that a key can be made for. */
export function useApiKeyScopes() {
  return useQuery({ queryKey: ["api-key-scopes"], queryFn: ({ signal }) => syla.apiKeys.scopes({ signal }), staleTime: Infinity });
}

/** Who may make an account here. */
export function useSignUpPolicy() {
  return useQuery({ queryKey: ["sign-up"], queryFn: ({ signal }) => syla.signUp.policy({ signal }), staleTime: 60_000 });
}

/** Has the link sent that makes an account. */
export function useRequestSignUp() {
  return useMutation({ mutationFn: (email: string) => syla.signUp.request(email) });
}

/** Makes the account of a link and signs in. */
export function useCompleteSignUp() {
  const signedIn = useSignedIn();
  return useMutation({
    mutationFn: (input: RouteBody<typeof signUpRoutes.completeSignUp>) => syla.signUp.complete(input),
    onSuccess: signedIn,
  });
}

/** Has the link sent that sets a new password. */
export function useRequestPasswordReset() {
  return useMutation({ mutationFn: (email: string) => syla.passwordReset.request(email) });
}

/** Sets a new password with a link. */
export function useCompletePasswordReset() {
  return useMutation({
    mutationFn: (input: RouteBody<typeof signUpRoutes.completePasswordReset>) => syla.passwordReset.complete(input),
  });
}

/** Confirms an address with a link. */
export function useConfirmEmail() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => syla.signUp.confirmEmail(token),
    onSuccess: () => client.invalidateQueries({ queryKey: ["me"] }),
  });
}

/** Changes your name or time zone. */
export function useUpdateMe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: RouteBody<typeof accountRoutes.updateMe>) => syla.me.update(change),
    onSuccess: (me) => client.setQueryData(["me"], me),
  });
}

/** Changes your password. */
export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: RouteBody<typeof accountRoutes.changePassword>) => syla.me.changePassword(input),
    onSuccess: () => client.invalidateQueries({ queryKey: ["sessions"] }),
  });
}

/** Has a link sent that confirms your address, or a new one. */
export function useVerifyEmail() {
  return useMutation({
    mutationFn: (input: RouteBody<typeof signUpRoutes.requestEmailVerification>) => syla.me.verifyEmail(input),
  });
}
