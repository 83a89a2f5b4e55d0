import { Button, Flex, Text } from "@chakra-ui/react";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "../ui/icon-button.tsx";

/** What can be shown below the editor, in the order of its tabs. */
export const dockParts = ["output", "problems", "terminal"] as const;
export type DockPart = (typeof dockParts)[number];

const labels: Readonly<Record<DockPart, string>> = { output: "Output", problems: "Problems", terminal: "Terminal" };

interface DockProps {
  readonly shown: DockPart;
  readonly parts: readonly DockPart[];
  readonly counts: Readonly<Partial<Record<DockPart, number>>>;
  readonly onShow: (part: DockPart | null) => void;
  readonly children: ReactNode;
}

/** A panel below what is edited: what a run prints, what is wrong with the files, a shell. */
export function Dock({ shown, parts, counts, onShow, children }: DockProps) {
  return (
    <Flex
      as="section"
      aria-label={labels[shown]}
      direction="column"
      h={{ base: "55%", md: "40%" }}
      minH="180px"
      flexShrink="0"
      borderTopWidth="1px"
      borderColor="border"
    >
      <Flex align="center" px="2" gap="1" bg="bg.subtle" borderBottomWidth="1px" borderColor="border" flexShrink="0">
        <Flex role="group" aria-label="Panels">
          {parts.map((part) => (
            <Button
              key={part}
              size="xs"
              variant="plain"
              px="2.5"
              rounded="0"
              borderWidth="0"
              fontWeight="medium"
              outlineOffset="-2px"
              aria-pressed={part === shown}
              color={part === shown ? "fg" : "fg.muted"}
              borderBottomWidth="2px"
              borderColor={part === shown ? "accent.solid" : "transparent"}
              _hover={{ color: "fg" }}
              onClick={() => onShow(part)}
            >
              {labels[part]}
              {counts[part] ? (
                <Text as="span" color="fg.muted" fontWeight="normal" fontVariantNumeric="tabular-nums">
                  {counts[part]}
                </Text>
              ) : null}
            </Button>
          ))}
        </Flex>
        <IconButton label="Close the panel" ml="auto" onClick={() => onShow(null)}>
          <X />
        </IconButton>
      </Flex>
      <Flex direction="column" flex="1" minH="0">
        {children}
      </Flex>
    </Flex>
  );
}
