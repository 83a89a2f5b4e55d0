import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { describePlace, type Place } from "./place.ts";

interface FindingRowProps {
  readonly place: Place | null;
  readonly selected: boolean;
  readonly onSelect: (place: Place) => void;
  readonly title: ReactNode;
  readonly children?: ReactNode;
}

/** One finding: choosing it shows the code. */
export function FindingRow({ place, selected, onSelect, title, children }: FindingRowProps) {
  const content = (
    <>
      <Flex align="baseline" columnGap="3" wrap="wrap">
        <Box minW="0" overflowWrap="anywhere" flex="1 1 auto">
          {title}
        </Box>
        {place ? (
          <Text fontFamily="mono" fontSize="xs" color="fg.muted" overflowWrap="anywhere">
            {describePlace(place)}
          </Text>
        ) : null}
      </Flex>
      {children}
    </>
  );
  const looks = {
    display: "block",
    w: "100%",
    textAlign: "left",
    px: "4",
    py: "2",
    borderBottomWidth: "1px",
    borderColor: "border",
    _last: { borderBottomWidth: "0" },
  } as const;
  if (!place) return <Box {...looks}>{content}</Box>;
  return (
    <chakra.button
      type="button"
      {...looks}
      aria-pressed={selected}
      bg={selected ? "accent.subtle" : undefined}
      outlineOffset="-2px"
      cursor="pointer"
      _hover={{ bg: selected ? "accent.subtle" : "bg.muted" }}
      onClick={() => onSelect(place)}
    >
      {content}
    </chakra.button>
  );
}

/** A second line of a finding. */
export function FindingNote({ children }: { readonly children: ReactNode }) {
  return (
    <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
      {children}
    </Text>
  );
}

/** A word on a finding: its kind, or what it is like. */
export function FindingMark({ color = "fg.muted", children }: { readonly color?: string; readonly children: ReactNode }) {
  return (
    <Text as="span" fontSize="xs" color={color} whiteSpace="nowrap" mr="2" fontWeight="medium">
      {children}
    </Text>
  );
}
