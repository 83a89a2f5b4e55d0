import { Box, chakra, Flex, Heading, Input, Text } from "@chakra-ui/react";
import type { FlowKind } from "@syla/contracts/flow-kinds";
import { useDeferredValue, useMemo, useState } from "react";
import { useBuilder } from "./builder-store.ts";
import { categories, categoryLabels, kindLooks } from "./kinds.ts";
import { catalogItem, draggedItem, kindItems, type Placeable, readRecent, search } from "./palette-items.ts";
import { usePalette } from "./queries.ts";

/** What may be placed: the kinds, and what the catalog has. */
export function usePlaceables(id: string, query: string): { readonly items: readonly Placeable[]; readonly isPending: boolean } {
  const q = query.trim();
  const asked = useDeferredValue(q);
  const { data, isFetching, isPlaceholderData } = usePalette(id, asked);
  const items = useMemo(() => {
    const offered = (data?.items ?? []).map(catalogItem);
    // What was found for other words is offered only as far as it answers to these.
    return [...search(kindItems, q), ...(isPlaceholderData || asked !== q ? search(offered, q) : offered)];
  }, [data, q, asked, isPlaceholderData]);
  return { items, isPending: isFetching };
}

interface Placing {
  readonly onAdd: (item: Placeable) => void;
  /** It is being dragged, and may be dropped elsewhere. */
  readonly onDrag: (item: Placeable) => void;
}

interface PalettePanelProps extends Placing {
  readonly id: string;
}

/** The palette at the side: to search, to drag from, to add from with a click or Enter. */
export function PalettePanel({ id, ...placing }: PalettePanelProps) {
  const [query, setQuery] = useState("");
  const { items } = usePlaceables(id, query);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const recent = query.trim() === "" ? readRecent().flatMap((key) => items.find((item) => item.key === key) ?? []) : [];
  return (
    <Flex as="aside" aria-label="Palette" direction="column" h="100%" minH="0" bg="bg.panel">
      <Box p="2" borderBottomWidth="1px" borderColor="border">
        <Input
          size="xs"
          type="search"
          aria-label="Search the palette"
          placeholder="Search nodes"
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
        />
      </Box>
      <Box overflowY="auto" flex="1" minH="0" p="2">
        {recent.length === 0 ? null : <PaletteGroup title="Recently used" items={recent} isReadOnly={isReadOnly} {...placing} />}
        {categories.map((category) => (
          <PaletteGroup
            key={category}
            title={categoryLabels[category]}
            items={items.filter((item) => item.category === category)}
            isReadOnly={isReadOnly}
            {...placing}
          />
        ))}
        {items.length === 0 ? (
          <Text px="1" py="3" fontSize="sm" color="fg.muted" role="status">
            Nothing is called “{query}”.
          </Text>
        ) : null}
      </Box>
    </Flex>
  );
}

interface PaletteGroupProps extends Placing {
  readonly title: string;
  readonly items: readonly Placeable[];
  readonly isReadOnly: boolean;
}

function PaletteGroup({ title, items, isReadOnly, ...placing }: PaletteGroupProps) {
  if (items.length === 0) return null;
  return (
    <Box as="section" mb="3">
      <Heading as="h3" fontSize="xs" fontWeight="medium" color="fg.subtle" px="1" mb="1">
        {title}
      </Heading>
      <Box as="ul" listStyleType="none">
        {items.map((item) => (
          <li key={item.key}>
            <PaletteRow item={item} isDisabled={isReadOnly || item.unusable !== null} {...placing} />
          </li>
        ))}
      </Box>
    </Box>
  );
}

/** An item's shape, in the colour of its category. */
export function ItemIcon({ item }: { readonly item: Placeable }) {
  return <NodeIcon kind={item.kind} />;
}

/** The shape of a kind, in the colour of its category. */
export function NodeIcon({ kind }: { readonly kind: FlowKind }) {
  const { icon: Icon, category } = kindLooks[kind];
  return (
    <chakra.span data-category={category} color="var(--category)" display="inline-flex" flexShrink="0">
      <Icon size={14} aria-hidden />
    </chakra.span>
  );
}

interface PaletteRowProps extends Placing {
  readonly item: Placeable;
  readonly isDisabled: boolean;
}

function PaletteRow({ item, isDisabled, onAdd, onDrag }: PaletteRowProps) {
  return (
    <chakra.button
      type="button"
      display="flex"
      alignItems="center"
      gap="2"
      w="full"
      minH="7"
      px="1.5"
      rounded="md"
      textAlign="left"
      cursor="grab"
      aria-disabled={isDisabled}
      opacity={isDisabled ? 0.5 : 1}
      data-tip={item.unusable ?? (item.text === "" ? item.label : item.text)}
      draggable={!isDisabled}
      _hover={{ bg: "bg.muted" }}
      onDragStart={(event) => {
        event.dataTransfer.setData(draggedItem, item.key);
        event.dataTransfer.effectAllowed = "copy";
        onDrag(item);
      }}
      onClick={() => {
        if (!isDisabled) onAdd(item);
      }}
    >
      <ItemIcon item={item} />
      <Text as="span" truncate flex="1">
        {item.label}
      </Text>
      {item.aside === "" ? null : (
        <Text as="span" fontSize="xs" color="fg.muted" truncate maxW="40%">
          {item.aside}
        </Text>
      )}
    </chakra.button>
  );
}
