import { ProgramConfig } from "@syla/contracts/program-config";
import { AppError } from "@syla/contracts/errors";
import type { ProgramRunInput } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import type { Catalog, ResolvedAsset } from "../catalog/service.ts";
import type { Credentials } from "../credentials/service.ts";
import type { Secret } from "../platform/secret.ts";

type ProgramSecrets = ProgramConfig["secrets"];
type RanSecrets = readonly Pick<ProgramSecrets[number], "variable" | "credentialId">[];

/** What has to hold before the catalog stores a program: its secrets are its owner's to give. @throws AppError `credential_unusable` */
export async function checkSecrets(
  credentials: Pick<Credentials, "requireUsable">,
  actor: Actor,
  {
    type,
    ownerId,
    config,
    before,
  }: { readonly type: string; readonly ownerId: string; readonly config: unknown; readonly before?: unknown },
): Promise<void> {
  if (type !== "program") return;
  const { secrets } = ProgramConfig.parse(config);
  // Whoever changes something else leaves the owner's secrets as they are.
  const kept = new Set((ProgramConfig.safeParse(before).data?.secrets ?? []).map(keyOf));
  const twice = secrets.findIndex(({ variable }, index) => secrets.findIndex((other) => other.variable === variable) < index);
  if (twice >= 0)
    throw new AppError("invalid_request", { fields: [{ path: `config.secrets.${twice}.variable`, message: "is given twice" }] });
  for (const [index, secret] of secrets.entries())
    if (!kept.has(keyOf(secret)))
      await credentials.requireUsable(actor, secret.credentialId, {
        kind: "program",
        ownerId,
        path: `config.secrets.${index}.credentialId`,
      });
}

function keyOf({ variable, credentialId, givenTo }: ProgramSecrets[number]): string {
  return JSON.stringify([variable, credentialId, givenTo]);
}

/** The part of a program's secrets that the runs of somebody get, and the variables of the others. */
export function shareOf(
  secrets: ProgramSecrets,
  { isOwner, mayEdit }: { readonly isOwner: boolean; readonly mayEdit: boolean },
): { readonly given: ProgramSecrets; readonly withheld: readonly string[] } {
  const isGiven = ({ givenTo }: ProgramSecrets[number]) => isOwner || givenTo === "runners" || (givenTo === "editors" && mayEdit);
  return { given: secrets.filter(isGiven), withheld: secrets.filter((secret) => !isGiven(secret)).map(({ variable }) => variable) };
}

/** What somebody gets of a program's secrets: as the program says it now, whatever was said when a version was published. */
export async function secretsFor(
  catalog: Pick<Catalog, "resolve">,
  actor: Actor,
  { asset, version, config }: Pick<ResolvedAsset<"program">, "asset" | "version" | "config">,
): Promise<{ readonly given: ProgramSecrets; readonly withheld: readonly string[]; readonly mayEdit: boolean }> {
  const now = version === null ? config : (await catalog.resolve(actor, "asset:run", asset.id, undefined, "program")).config;
  if (now.secrets.length === 0) return { given: [], withheld: [], mayEdit: false };
  const may = async (action: "asset:edit" | "asset:transfer") =>
    await catalog.resolve(actor, action, asset.id, undefined, "program").then(
      () => true,
      () => false,
    );
  const [isOwner, mayEdit] = await Promise.all([may("asset:transfer"), may("asset:edit")]);
  return { ...shareOf(now.secrets, { isOwner, mayEdit }), mayEdit };
}

/**
 * The same in a composition, where it shares its sandbox with code that is not its own. Who may change the program may read its secrets in any case;
 * whoever may change the composition decides what else is there. Anybody else is refused what they would get of the program by itself.
 */
export async function secretsWithin(
  catalog: Pick<Catalog, "resolve">,
  actor: Actor,
  program: Pick<ResolvedAsset<"program">, "asset" | "version" | "config">,
  compositionId: string | undefined,
): Promise<ReturnType<typeof shareOf> & { readonly isRefused: boolean }> {
  const { given, withheld, mayEdit } = await secretsFor(catalog, actor, program);
  if (given.length === 0) return { given, withheld, isRefused: false };
  const isTheirs =
    compositionId === undefined ||
    (await catalog.resolve(actor, "asset:edit", compositionId, undefined, "composition").then(
      () => true,
      () => false,
    ));
  return { given, withheld, isRefused: !mayEdit || !isTheirs };
}

/**
 * The same where they can do with it what they like: who may not change a program gets none, because such a run of theirs would be refused
 * (see {@link refuseChosen}).
 */
export function freelyGiven({ given, withheld, mayEdit }: Awaited<ReturnType<typeof secretsFor>>): ReturnType<typeof shareOf> {
  return mayEdit ? { given, withheld } : { given: [], withheld: [...withheld, ...given.map(({ variable }) => variable)] };
}

/** What a run of a program differs in from the program as it is, and could read its secrets by. */
export function chosenParts(input: ProgramRunInput): readonly string[] {
  return [
    ...(input.files.length > 0 ? ["files"] : []),
    ...(input.entrypoint === undefined ? [] : ["entrypoint"]),
    ...(Object.keys(input.env).length > 0 ? ["env"] : []),
    ...(input.network === undefined ? [] : ["network"]),
    ...(input.modelId === undefined ? [] : ["modelId"]),
  ];
}

/**
 * Who may run a program and not change it gets it as it is: code of theirs beside it, or variables that its interpreter obeys, could read
 * what its owner has given to the program alone.
 *
 * @throws AppError `forbidden`
 */
export function refuseChosen(parts: readonly string[]): never {
  throw new AppError("forbidden", {
    message: "This program has secrets of its owner: whoever may not change it runs it as it is.",
    hint: "Leave these out; arguments, standard input and limits may be chosen. Or ask its owner for the right to edit.",
    fields: parts.map((path) => ({ path, message: "cannot be chosen for this program" })),
  });
}

/** What a run was given is still the program's to give: its owner has not changed, and has taken no secret back. @throws AppError `forbidden` */
export function requireStillGiven(
  ran: { readonly ownerId: string; readonly secrets: RanSecrets },
  program: { readonly ownerId: string; readonly given: ProgramSecrets },
): void {
  const isGiven = ran.secrets.every(({ variable, credentialId }) =>
    program.given.some((secret) => secret.variable === variable && secret.credentialId === credentialId),
  );
  if (isGiven && program.ownerId === ran.ownerId) return;
  throw new AppError("forbidden", {
    message: "The program's secrets are others than those of that run.",
    hint: "Run the program anew.",
  });
}

/** Opens the secrets of a program for one run of it. Each still belongs to the program's owner. @throws AppError */
export async function openSecrets(
  credentials: Pick<Credentials, "reveal">,
  ownerId: string,
  secrets: RanSecrets,
): Promise<readonly { readonly variable: string; readonly value: Secret }[]> {
  const opened: { variable: string; value: Secret }[] = [];
  for (const { variable, credentialId } of secrets) {
    const found = await credentials.reveal(credentialId, "program");
    if (found.ownerId !== ownerId) throw new AppError("credential_missing", { details: { credentialId } });
    opened.push({ variable, value: found.value });
  }
  return opened;
}
