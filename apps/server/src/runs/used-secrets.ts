import type { Run } from "@syla/contracts/runs";

type Used = Pick<Run, "program" | "composition">;

/** What the audit trail says of a run that was begun: the variables in which it has secrets of the owners of what it runs. */
export function usedSecrets({ program, composition }: Used): { readonly secretVariables?: readonly string[] } {
  const secretVariables = (program ?? composition)?.secretVariables ?? [];
  return secretVariables.length === 0 ? {} : { secretVariables };
}

/** The same of several runs. */
export function collectSecrets(): { note(run: Used): void; details(): ReturnType<typeof usedSecrets> } {
  const variables = new Set<string>();
  return {
    note: (run) => usedSecrets(run).secretVariables?.forEach((variable) => variables.add(variable)),
    details: () => (variables.size === 0 ? {} : { secretVariables: [...variables] }),
  };
}
