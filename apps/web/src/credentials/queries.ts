import type { Credential, CredentialKind } from "@syla/sdk";
import type { credentialRoutes } from "@syla/contracts/credentials";
import type { RouteBody } from "@syla/contracts/route";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { collectItems } from "../app/collect-items.ts";

/** Yours and those of your teams. */
export function useCredentials(kind?: CredentialKind) {
  return useQuery({
    queryKey: ["credentials", kind ?? "all"],
    queryFn: async ({ signal }) => await collectItems(syla.credentials.list(kind === undefined ? {} : { kind }, { signal })),
  });
}

/** One, with what uses it. */
export function useCredential(id: string) {
  return useQuery({ queryKey: ["credentials", "one", id], queryFn: ({ signal }) => syla.credentials.get(id, { signal }) });
}

/** A secret is part of what is sent: it is not kept after. */
function useCredentialMutation<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, gcTime: 0, onSettled: () => client.invalidateQueries({ queryKey: ["credentials"] }) });
}

export function useCreateCredential() {
  return useCredentialMutation((input: RouteBody<typeof credentialRoutes.createCredential>) => syla.credentials.create(input));
}

export function useUpdateCredential({ id, revision }: Pick<Credential, "id" | "revision">) {
  return useCredentialMutation((change: RouteBody<typeof credentialRoutes.updateCredential>) =>
    syla.credentials.update(id, change, { revision }),
  );
}

export function useDeleteCredential() {
  return useCredentialMutation(({ id, force }: { id: string; force: boolean }) => syla.credentials.delete(id, { force }));
}
