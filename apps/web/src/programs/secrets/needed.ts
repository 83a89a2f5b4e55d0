import type { AnalysisDocument, ProgramConfig } from "@syla/sdk";

export type ProgramSecrets = ProgramConfig["secrets"];
export type Audience = ProgramSecrets[number]["givenTo"];

/** A variable that a program reads, or is given. */
export interface NeededVariable {
  readonly variable: string;
  /** Where it is read, `file:line`; none when only the settings name it. */
  readonly places: readonly { readonly file: string; readonly line: number | null }[];
  readonly required: boolean;
  /** Set by Syla when a model is bound, with a key that opens nothing but the gateway. */
  readonly isOfModel: boolean;
  readonly credentialId: string | null;
  readonly givenTo: Audience;
}

const ofModel = /^(?:(?:OPENAI|ANTHROPIC)_(?:BASE_URL|API_BASE|API_KEY)|OLLAMA_(?:HOST|API_BASE))$/;

/** What the source reads and what is set, each variable once: what is needed first. */
export function neededVariables(analysis: AnalysisDocument | null, secrets: ProgramSecrets, added: readonly string[]): NeededVariable[] {
  const found = Map.groupBy(analysis?.variables ?? [], ({ name }) => name);
  const names = [...new Set([...secrets.map(({ variable }) => variable), ...found.keys(), ...added])];
  const all = names.map((variable): NeededVariable => {
    const secret = secrets.find((other) => other.variable === variable);
    const places = found.get(variable) ?? [];
    return {
      variable,
      places: places.map(({ file, line }) => ({ file, line })),
      required: places.some(({ required }) => required),
      isOfModel: ofModel.test(variable),
      credentialId: secret?.credentialId ?? null,
      // Configurations of before know no other.
      givenTo: secret === undefined ? "owner" : (secret.givenTo ?? "runners"),
    };
  });
  return all.toSorted((a, b) => rank(a) - rank(b) || a.variable.localeCompare(b.variable));
}

function rank({ credentialId, required, isOfModel }: NeededVariable): number {
  return isOfModel && credentialId === null ? 3 : required ? 0 : credentialId !== null ? 1 : 2;
}
