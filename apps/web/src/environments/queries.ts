import type {
  Environment,
  PackageIndex,
  PackageIndexDraft,
  ProgramEnvironment,
  ProgramRunInputDraft,
  ProgramSandbox,
  Syla,
} from "@syla/sdk";
import { keepPreviousData, type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";

const buildingMs = 1000;
const slowMs = 15_000;

/** Which environments, as the address says it. */
export interface EnvironmentListFilter {
  readonly state: "none" | "building" | "ready" | "failed" | "";
  readonly q: string;
  /** Everybody's, for administrators. */
  readonly all: boolean;
}

export function useEnvironments({ state, q, all }: EnvironmentListFilter, cursor: string | null) {
  return useQuery({
    queryKey: ["environments", state, q, all, cursor],
    queryFn: ({ signal }) =>
      syla.environments.list(
        {
          limit: 50,
          ...(state === "" ? {} : { state }),
          ...(q === "" ? {} : { q }),
          ...(all ? { owner: "all" as const } : {}),
          ...(cursor === null ? {} : { cursor }),
        },
        { signal },
      ),
    refetchInterval: slowMs,
    placeholderData: keepPreviousData,
  });
}

export function useEnvironmentStorage(enabled: boolean) {
  return useQuery({
    queryKey: ["environment-storage"],
    queryFn: ({ signal }) => syla.environments.storage({ signal }),
    enabled,
    refetchInterval: slowMs,
  });
}

export function useEnvironment(id: string) {
  return useQuery({
    queryKey: ["environment", id],
    queryFn: ({ signal }) => syla.environments.get(id, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === "building" ? buildingMs : slowMs),
  });
}

export function useProgramEnvironment(programId: string, version: string | undefined) {
  return useQuery({
    queryKey: ["program", programId, "environment", version ?? null],
    queryFn: ({ signal }) => syla.environments.ofProgram(programId, version, { signal }),
    refetchInterval: ({ state }) => (state.data?.environment?.state === "building" ? buildingMs : slowMs),
  });
}

/** Builds an environment; `again`: although it is there. */
export function useBuildEnvironment(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (again: boolean) => syla.environments.build(id, { again }),
    onSuccess: (environment) => storeEnvironment(client, environment),
  });
}

/** Whether one wants it warm at any time. */
export function useKeepWarm(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (keep: boolean) => syla.environments.keepWarm(id, keep),
    onSuccess: (environment) => storeEnvironment(client, environment),
  });
}

export function useDeleteEnvironment(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => syla.environments.delete(id),
    onSuccess: () =>
      void Promise.all(
        [["environment", id], ["environments"], ["environment-storage"]].map((queryKey) => client.invalidateQueries({ queryKey })),
      ),
  });
}

export function useEnvironmentImage(id: string) {
  return useQuery({
    queryKey: ["environment", id, "image"],
    queryFn: ({ signal }) => syla.environments.images.get(id, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === "building" ? buildingMs : slowMs),
  });
}

/** Builds or pushes the image of an environment. */
export function useMakeImage(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (verb: "build" | "push") => syla.environments.images[verb](id),
    onSuccess: (image) => client.setQueryData(["environment", id, "image"], image),
  });
}

/** Yours, your teams', and everybody's; the newest 200. */
export function usePackageIndexes() {
  return useQuery({
    queryKey: ["package-indexes"],
    queryFn: async ({ signal }) => (await syla.packageIndexes.list({ limit: 200 }, { signal })).items,
  });
}

export function useCreatePackageIndex() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (index: PackageIndexDraft) => syla.packageIndexes.create(index),
    onSuccess: () => client.invalidateQueries({ queryKey: ["package-indexes"] }),
  });
}

export function useUpdatePackageIndex() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({
      id,
      revision,
      change,
    }: Pick<PackageIndex, "id" | "revision"> & { readonly change: Omit<PackageIndexDraft, "language" | "ownerId"> }) =>
      syla.packageIndexes.update(id, change, { revision }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["package-indexes"] }),
  });
}

/** Asks an index, stored or not, for a package. */
export function useTestPackageIndex() {
  return useMutation({ mutationFn: (wish: Parameters<Syla["packageIndexes"]["test"]>[0]) => syla.packageIndexes.test(wish) });
}

export function useDeletePackageIndex() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.packageIndexes.delete(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["package-indexes"] }),
  });
}

/** Builds what a program needs; `upgrade`: the newest versions that its dependencies allow. */
export function useBuildForProgram(programId: string, version: string | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (upgrade: boolean) =>
      syla.environments.buildForProgram(programId, { upgrade, ...(version === undefined ? {} : { version }) }),
    onSuccess: (found) => client.setQueryData<ProgramEnvironment>(["program", programId, "environment", version ?? null], found),
  });
}

/** One's own interactive environment of a program; `version`: what it is compared with. */
export function useProgramSandbox(programId: string, version: string | undefined) {
  const client = useQueryClient();
  return useQuery({
    queryKey: [...sandboxKey(programId), version ?? null],
    async queryFn({ signal, queryKey }) {
      const before = client.getQueryData<ProgramSandbox>(queryKey)?.sandbox?.phase;
      const found = await syla.environments.sandboxOf(programId, version, { signal });
      // It has begun to wait for its packages, or waits no more.
      if ((found.sandbox?.phase ?? null) !== (before ?? null))
        void client.invalidateQueries({ queryKey: ["program", programId, "environment"] });
      return found;
    },
    refetchInterval: ({ state }) => (state.data?.sandbox?.status === "starting" ? buildingMs : slowMs),
  });
}

/** What an interactive environment is started with. */
interface StartWish {
  /** The one that lives. */
  readonly replaces: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly datasets: readonly NonNullable<ProgramRunInputDraft["datasets"]>[number][];
}

/** Starts it; given the id of the one that lives, that is ended first. */
export function useStartProgramSandbox(programId: string, version: string | undefined) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ replaces, env, datasets }: StartWish) =>
      syla.environments.startSandbox(programId, {
        ...(version === undefined ? {} : { version }),
        ...(replaces === undefined ? {} : { replaces }),
        env: { ...env },
        datasets: [...datasets],
      }),
    onSuccess(found) {
      client.setQueryData<ProgramSandbox>([...sandboxKey(programId), version ?? null], found);
      void client.invalidateQueries({ queryKey: ["sandboxes"] });
    },
  });
}

export function useStopProgramSandbox(programId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => syla.sandboxes.delete(id),
    onSettled: () => Promise.all([sandboxKey(programId), ["sandboxes"]].map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

function sandboxKey(programId: string) {
  return ["program", programId, "sandbox"] as const;
}

/** What a followed build has told. */
export function storeEnvironment(client: QueryClient, environment: Environment): void {
  client.setQueryData(["environment", environment.id], environment);
  void client.invalidateQueries({ queryKey: ["environments"] });
  void client.invalidateQueries({ queryKey: ["program"], predicate: ({ queryKey }) => queryKey[2] === "environment" });
}
