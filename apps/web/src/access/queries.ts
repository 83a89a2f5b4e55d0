import type { AccessLevel, SpendCapInput, ThingRef, Visibility } from "@syla/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { refreshAssets } from "../catalog/queries.ts";
import { collectItems } from "../app/collect-items.ts";

const keyOf = (thing: ThingRef) => ["access", thing.resourceType, thing.resourceId];

/** What you may do with a thing. */
export function useAccess(thing: ThingRef) {
  return useQuery({ queryKey: [...keyOf(thing), "own"], queryFn: ({ signal }) => syla.sharing.access(thing, { signal }) });
}

/** What was granted on a thing. */
export function useGrants(thing: ThingRef) {
  return useQuery({
    queryKey: [...keyOf(thing), "grants"],
    queryFn: async ({ signal }) => await collectItems(syla.sharing.grants(thing, { signal })),
  });
}

/** Who has access to a thing, and why. */
export function usePeople(thing: ThingRef) {
  return useQuery({
    queryKey: [...keyOf(thing), "people"],
    queryFn: async ({ signal }) => await collectItems(syla.sharing.people(thing, { signal })),
  });
}

/** With whom, how far, and for how long. */
export interface ShareWish {
  readonly email?: string;
  readonly teamId?: string;
  readonly level: AccessLevel;
  readonly expiresAt: string | null;
  /** Of a model: what may be spent; null: any amount; the usual when left out. */
  readonly cap?: SpendCapInput | null | undefined;
  /** Of a link: it opens for people who sign in alone. */
  readonly needsAccount?: boolean;
}

/** Everything that changes who has access; the lists are read again. */
export function useSharing(thing: ThingRef) {
  const client = useQueryClient();
  const onSettled = () => client.invalidateQueries({ queryKey: keyOf(thing) });
  const share = useMutation({
    mutationFn: (wish: Omit<ShareWish, "needsAccount">) => syla.sharing.share({ ...thing, ...wish }),
    onSettled,
  });
  const createLink = useMutation({
    mutationFn: ({ level, expiresAt, cap, needsAccount = false }: ShareWish) =>
      syla.sharing.createLink({ ...thing, level, expiresAt, cap, needsAccount }),
    onSettled,
  });
  const change = useMutation({
    mutationFn: ({ id, ...wish }: { readonly id: string; readonly level?: AccessLevel; readonly expiresAt?: string | null }) =>
      syla.sharing.update(id, wish),
    onSettled,
  });
  const renewLink = useMutation({ mutationFn: (grantId: string) => syla.sharing.renewLink(grantId), onSettled });
  const revoke = useMutation({ mutationFn: (id: string) => syla.sharing.revoke(id), onSettled });
  const setVisibility = useMutation({
    mutationFn: async (visibility: Visibility): Promise<unknown> =>
      thing.resourceType === "asset"
        ? await syla.assets.update(thing.resourceId, { visibility }, "*")
        : await syla.runs.setVisibility(thing.resourceId, visibility),
    onSettled: async () => {
      await onSettled();
      if (thing.resourceType === "asset") refreshAssets(client, [thing.resourceId]);
    },
  });
  return { share, createLink, change, renewLink, revoke, setVisibility };
}

/** Takes the access that a link gives. */
export function useRedeemLink() {
  return useMutation({ mutationFn: (token: string) => syla.sharing.redeemLink(token) });
}
