import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../../app/api.ts";

/** Whether your sign-in asks for a second factor. */
export function useTwoFactor() {
  return useQuery({ queryKey: ["two-factor"], queryFn: ({ signal }) => syla.me.twoFactor.get({ signal }) });
}

/** Makes a secret for an authenticator. */
export function useBeginTwoFactor() {
  return useMutation({ mutationFn: (password: string) => syla.me.twoFactor.begin(password) });
}

function useRefresh() {
  const client = useQueryClient();
  return async () => {
    await client.invalidateQueries({ queryKey: ["two-factor"] });
    await client.invalidateQueries({ queryKey: ["me"] });
  };
}

/** Turns it on; answers the recovery codes, this once. */
export function useConfirmTwoFactor() {
  return useMutation({ mutationFn: (code: string) => syla.me.twoFactor.confirm(code), onSuccess: useRefresh() });
}

/** Makes other recovery codes; answers them, this once. */
export function useRenewRecoveryCodes() {
  return useMutation({
    mutationFn: (input: { password: string; code: string }) => syla.me.twoFactor.renewCodes(input),
    onSuccess: useRefresh(),
  });
}

/** Turns it off. */
export function useDisableTwoFactor() {
  return useMutation({
    mutationFn: (input: { password: string; code: string }) => syla.me.twoFactor.disable(input),
    onSuccess: useRefresh(),
  });
}
