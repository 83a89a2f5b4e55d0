import { Box, Flex } from "@chakra-ui/react";
import { type ReactNode, useMemo } from "react";
import type { Other } from "./live-session.ts";
import { useLiveSession } from "./use-live-session.ts";

const shownAtOnce = 3;

/** What rows of the tree show: who has the file open, as dots in their colours, before what they show anyway. */
export function useFilesWithPeople(decorations: ReadonlyMap<string, ReactNode> | undefined): ReadonlyMap<string, ReactNode> {
  const { others } = useLiveSession().live;
  return useMemo(() => {
    const shown = new Map(decorations);
    const byPath = Map.groupBy(
      others.filter(({ path }) => path !== null),
      ({ path }) => path ?? "",
    );
    for (const [path, people] of byPath)
      shown.set(
        path,
        <>
          <Dots people={people} />
          {decorations?.get(path)}
        </>,
      );
    return shown;
  }, [others, decorations]);
}

function Dots({ people }: { readonly people: readonly Other[] }) {
  const names = `open with ${people.map(({ name }) => name).join(", ")}`;
  return (
    <Flex as="span" role="img" aria-label={names} title={names} gap="0.5" px="1" flexShrink="0">
      {people.slice(0, shownAtOnce).map(({ key, color }) => (
        <Box as="span" key={key} w="2" h="2" borderRadius="full" style={{ backgroundColor: color }} />
      ))}
    </Flex>
  );
}
