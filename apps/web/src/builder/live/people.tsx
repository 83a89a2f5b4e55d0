import { chakra, Flex } from "@chakra-ui/react";
import { useReactFlow } from "@xyflow/react";
import { useBuilderStore } from "../builder-store.ts";
import type { Drawer } from "./live-draft.ts";
import { useDrawers } from "./use-live-draft.ts";

const shownAtOnce = 5;

/** Who else has the composition open. A click on somebody goes to where they are. */
export function People() {
  const others = useDrawers();
  const store = useBuilderStore();
  const flow = useReactFlow();
  if (others.length === 0) return null;
  const goTo = ({ path, at, nodes }: Drawer) => {
    store.enter(path === "" ? [] : path.split("/"));
    requestAnimationFrame(() => {
      if (nodes.length > 0) void flow.fitView({ nodes: nodes.map((id) => ({ id })), maxZoom: 1, duration: 200 });
      else if (at !== null) void flow.setCenter(at.x, at.y, { zoom: flow.getZoom(), duration: 200 });
    });
  };
  const more = others.length - shownAtOnce;
  return (
    <Flex as="ul" aria-label="Also here" align="center" gap="1" listStyleType="none">
      {others.slice(0, shownAtOnce).map((other) => (
        <li key={other.key}>
          <chakra.button
            type="button"
            aria-label={`${initials(other.name)}: Go to ${other.name}`}
            data-tip={other.name}
            onClick={() => goTo(other)}
            display="inline-flex"
            alignItems="center"
            justifyContent="center"
            w="6"
            h="6"
            borderRadius="full"
            fontSize="2xs"
            fontWeight="semibold"
            color="white"
            cursor="pointer"
            outlineOffset="2px"
            style={{ backgroundColor: other.color }}
          >
            {initials(other.name)}
          </chakra.button>
        </li>
      ))}
      {more > 0 ? (
        <chakra.li fontSize="xs" color="fg.muted">
          and {more} more
        </chakra.li>
      ) : null}
    </Flex>
  );
}

function initials(name: string): string {
  const letters = name
    .trim()
    .split(/\s+/)
    .map((word) => /^./u.exec(word)?.[0] ?? "");
  return [letters[0], letters.length > 1 ? letters.at(-1) : ""].join("").toUpperCase() || "?";
}
