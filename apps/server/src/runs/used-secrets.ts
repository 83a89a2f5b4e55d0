import type { Run } from "@syla/contracts/runs";

/** What the audit trail says of a run that was begun: the variables in which it has secrets of its program's owner. */
export function usedSecrets({ program }: Pick<Run, "program">): { readonly secretVariables?: readonly string[] } {
  return program === null || program.secretVariables.length === 0 ? {} : { secretVariables: program.secretVariables };
}

/** The same of several runs. */
export function collectSecrets(): { note(run: Pick<Run, "program">): void; details(): ReturnType<typeof usedSecrets> } {
  const variables = new Set<string>();
  return {
    note: (run) => usedSecrets(run).secretVariables?.forEach((variable) => variables.add(variable)),
    details: () => (variables.size === 0 ? {} : { secretVariables: [...variables] }),
  };
}
