import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import { requireStillGiven, secretsWithin } from "../program-runs/service.ts";
import { heldSecret, type RunConfig } from "../runs/service.ts";

type Programs = readonly ResolvedAsset<"program">[];
type Ran = NonNullable<RunConfig["composition"]>;
type RanSecret = Ran["secrets"][number];

/**
 * The secrets that the programs of a composition get in a run of somebody: those that runs of these programs would get. `besides`: variables of the
 * run itself, which take the place of secrets.
 *
 * @throws AppError `secrets_shared`, `dependency_conflict`
 */
export async function secretsOf(
  catalog: Pick<Catalog, "resolve">,
  actor: Actor,
  compositionId: string,
  programs: Programs,
  besides: ReadonlySet<string>,
): Promise<Pick<Ran, "secrets" | "withheld">> {
  const secrets: RanSecret[] = [];
  const withheld: Ran["withheld"] = [];
  const refused: { program: string; name: string; variables: string[] }[] = [];
  for (const program of programs) {
    const { asset } = program;
    const share = await secretsWithin(catalog, actor, program, compositionId);
    withheld.push(...share.withheld.map((variable) => ({ programId: asset.id, variable })));
    if (share.isRefused) refused.push({ program: asset.id, name: asset.name, variables: share.given.map(({ variable }) => variable) });
    for (const { variable, credentialId } of share.given)
      if (!besides.has(variable)) secrets.push({ programId: asset.id, ownerId: asset.ownerId, variable, credentialId });
  }
  const [first] = refused;
  if (first !== undefined)
    throw new AppError("secrets_shared", {
      message: `${first.name} has secrets of its owner (${first.variables.join(", ")}), which other code of the composition could read.`,
      details: { programs: refused.map(({ program, variables }) => ({ program, variables })) },
    });
  return { secrets, withheld };
}

/**
 * Where the hooks find the secrets of each program, by its id and the variable. Functions of programs run in the composition's own process, where a
 * variable is one for all of them.
 *
 * @throws AppError `dependency_conflict`
 */
export function placesOf(
  secrets: readonly RanSecret[],
  modules: readonly string[],
  nameOf: (programId: string) => string,
): Record<string, Record<string, string>> {
  const places: Record<string, Record<string, string>> = {};
  const shared = new Map<string, RanSecret>();
  for (const [index, secret] of secrets.entries()) {
    const { programId, variable, credentialId } = secret;
    (places[programId] ??= {})[variable] = heldSecret(index);
    if (!modules.includes(programId)) continue;
    const other = shared.get(variable);
    if (other !== undefined && other.credentialId !== credentialId)
      throw new AppError("dependency_conflict", {
        message: `Functions of two programs need different secrets in ${variable}: ${nameOf(other.programId)} and ${nameOf(programId)}.`,
        hint: "Call one of the programs as a whole, as a program node: it has variables of its own.",
        details: { variable, programs: [other.programId, programId] },
      });
    shared.set(variable, secret);
  }
  return places;
}

/** What a run was given is still to be given to a run of somebody. @throws AppError `secrets_shared`, `forbidden` */
export async function requireSecretsAgain(catalog: Pick<Catalog, "resolve">, actor: Actor, ran: Ran): Promise<void> {
  const byProgram = Map.groupBy(ran.secrets, ({ programId }) => programId);
  for (const [programId, secrets] of byProgram) {
    const reference = ran.references.find(({ id }) => id === programId);
    const program = await catalog.resolve(actor, "asset:run", programId, reference?.version ?? undefined, "program");
    const { given, isRefused } = await secretsWithin(catalog, actor, program, ran.id);
    requireStillGiven({ ownerId: secrets[0]?.ownerId ?? "", secrets }, { ownerId: program.asset.ownerId, given });
    if (isRefused) throw new AppError("secrets_shared");
  }
}
