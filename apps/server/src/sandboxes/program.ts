import type { NetworkPolicy } from "@syla/contracts/network";
import type { LeastTier, RunDatasetInput } from "@syla/contracts/runs";
import { SandboxProgram } from "@syla/contracts/sandboxes/program";
import type { InputEntry } from "@syla/sandbox/spec";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { Thing } from "../access/service.ts";
import type { Secret } from "../platform/secret.ts";

/** A program as a sandbox has it. */
export interface ProgramParts {
  readonly language: string;
  readonly files: AsyncIterable<InputEntry>;
  readonly env: Readonly<Record<string, string>>;
  /** Folders of its programs. */
  readonly path: readonly string[];
  /** The interpreter that has its packages. */
  readonly python: string | null;
  /** The tier that it asks for at least. */
  readonly leastTier: LeastTier | undefined;
  /** Names of the layers that hold its packages. */
  readonly layers: readonly string[];
  /** Lets go of its packages. */
  readonly release: () => void;
}

/** What is written down of the program of a sandbox. `fingerprint` tells whether the program is still the same. */
export const ProgramFacts = SandboxProgram.extend({ fingerprint: z.string() });
export type ProgramFacts = z.infer<typeof ProgramFacts>;

/** A program for somebody to work with, with everything that a run of it gets. */
export interface ProgramForUse {
  readonly facts: ProgramFacts;
  readonly thing: Thing;
  /** The program as it is then; undefined when it has gone. */
  readonly find: () => Promise<Thing | undefined>;
  /** What they must be able to do with it for as long as they have this. */
  readonly action: "asset:run" | "asset:edit" | "asset:transfer";
  readonly language: string;
  /** The tier that it asks for at least. */
  readonly leastTier: LeastTier | undefined;
  readonly limits: {
    readonly cpus?: number | undefined;
    readonly memoryBytes?: number | undefined;
    readonly processes?: number | undefined;
    readonly openFiles?: number | undefined;
    readonly diskBytes?: number | undefined;
  };
  readonly network: NetworkPolicy;
  /** Ids of models that it may call. */
  readonly models: readonly string[];
  readonly secrets: readonly { readonly variable: string; readonly credentialId: string }[];
  /** Plain variables: those that were asked for, and where its datasets are. */
  readonly variables: Readonly<Record<string, string>>;
  /** `onWait` is told that its packages are not there yet. */
  prepare(signal: AbortSignal, onWait: () => void): Promise<ProgramParts>;
}

/** What somebody wants to work with of a program, and what besides. */
export interface UseWish {
  readonly version?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly datasets: readonly RunDatasetInput[];
}

/** Where sandboxes get programs from. */
export interface ProgramSource {
  parts(actor: Actor, programId: string, version: string | undefined): Promise<ProgramParts>;
  forUse(actor: Actor, programId: string, wish: UseWish): Promise<ProgramForUse>;
  isCurrent(actor: Actor, programId: string, version: string | undefined, made: ProgramFacts | null): Promise<boolean | null>;
}

/** Opens the secrets of a program. @throws AppError `credential_missing`, `credential_expired` */
export type OpenSecrets = (
  ownerId: string,
  secrets: ProgramForUse["secrets"],
) => Promise<readonly { readonly variable: string; readonly value: Secret }[]>;
