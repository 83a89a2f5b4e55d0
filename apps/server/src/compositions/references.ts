import type { CompositionReference } from "@syla/contracts/composition-config";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";

/** Something of the catalog that a composition uses, as somebody may run it. */
export interface ResolvedReference {
  readonly reference: CompositionReference;
  readonly asset: ResolvedAsset;
}

/** Why something cannot be used. */
export interface UnusableReference {
  readonly reference: CompositionReference;
  readonly state: "missing" | "deleted" | "forbidden";
  readonly message: string;
}

export type FoundReference = ResolvedReference | UnusableReference;

/** So many are looked up at once. */
const atOnce = 8;

const states = { not_found: "missing", asset_deleted: "deleted", forbidden: "forbidden" } as const;

function isUnusable(code: string): code is keyof typeof states {
  return code in states;
}

/** References to the same version of the same thing are one. */
export function keyOf({ kind, id, version }: CompositionReference): string {
  return JSON.stringify([kind, id, version]);
}

/** Whether somebody may run each of these, once each: the one place where that is asked. */
export async function findReferences(
  catalog: Pick<Catalog, "resolve">,
  actor: Actor,
  references: readonly CompositionReference[],
): Promise<Map<string, FoundReference>> {
  const wanted = [...new Map(references.map((reference) => [keyOf(reference), reference]))];
  const found = new Map<string, FoundReference>();
  for (let start = 0; start < wanted.length; start += atOnce) {
    const part = wanted.slice(start, start + atOnce);
    const answers = await Promise.all(part.map(async ([, reference]) => await find(catalog, actor, reference)));
    for (const [index, [key]] of part.entries()) {
      const answer = answers[index];
      if (answer !== undefined) found.set(key, answer);
    }
  }
  return found;
}

async function find(catalog: Pick<Catalog, "resolve">, actor: Actor, reference: CompositionReference): Promise<FoundReference> {
  const { kind, id, version } = reference;
  try {
    return { reference, asset: await catalog.resolve(actor, "asset:run", id, version ?? undefined, kind) };
  } catch (error) {
    if (!(error instanceof AppError) || !isUnusable(error.code)) throw error;
    return { reference, state: states[error.code], message: describe(reference, states[error.code]) };
  }
}

function describe({ kind, id, version }: CompositionReference, state: UnusableReference["state"]): string {
  const what = `The ${kind} ${id}${version === null ? "" : ` ${version}`}`;
  if (state === "deleted") return `${what} has been deleted.`;
  return state === "forbidden" ? `You may not run it: the ${kind} ${id}.` : `${what} is not here, or not for you to see.`;
}
