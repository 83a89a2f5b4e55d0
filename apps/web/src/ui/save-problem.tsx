import { chakra, Text } from "@chakra-ui/react";
import { SylaError } from "@syla/sdk";
import { DefinitionList } from "./definition-list.tsx";
import { ErrorPanel } from "./error-panel.tsx";

interface SaveProblemProps {
  readonly error: unknown;
  /** What the form was filled with. */
  readonly loaded: object;
}

/** What changes by itself, or with everything. */
const unshown = new Set(["revision", "updatedAt", "lastUsedAt", "lastTakenAt", "lastCalledAt", "failingSince", "next", "last"]);

/** Why something could not be saved. When somebody else has changed it meanwhile: what of it. */
export function SaveProblem({ error, loaded }: SaveProblemProps) {
  const changes = changesSince(error, loaded);
  if (changes === null) return <ErrorPanel error={error} />;
  return (
    <ErrorPanel error={error}>
      <Text mt="2">Somebody has changed it since you opened this. Close it and open it again to work on what is there now:</Text>
      <DefinitionList
        items={changes.map(({ field, from, to }) => [
          field,
          <chakra.code key={field} fontSize="xs" overflowWrap="anywhere">
            {JSON.stringify(from)} → {JSON.stringify(to)}
          </chakra.code>,
        ])}
      />
    </ErrorPanel>
  );
}

function changesSince(error: unknown, loaded: object): { field: string; from: unknown; to: unknown }[] | null {
  if (!(error instanceof SylaError) || error.code !== "revision_conflict") return null;
  const { current } = error.details;
  if (typeof current !== "object" || current === null) return null;
  const now = new Map<string, unknown>(Object.entries(current));
  return Object.entries(loaded).flatMap(([field, from]: [string, unknown]) => {
    const to = now.get(field) ?? null;
    return unshown.has(field) || JSON.stringify(from) === JSON.stringify(to) ? [] : [{ field, from, to }];
  });
}
