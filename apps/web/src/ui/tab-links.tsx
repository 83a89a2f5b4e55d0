import { Flex, Text } from "@chakra-ui/react";
import { Link } from "react-router";

/** One tab: its place in the URL, its name and, if it has one, a count. */
export interface TabLink {
  readonly to: string;
  readonly label: string;
  readonly current: boolean;
  readonly count?: number | string;
}

interface TabLinksProps {
  readonly label: string;
  readonly tabs: readonly TabLink[];
}

/** Tabs that are links, so that the chosen one survives a reload and can be sent to a colleague. */
export function TabLinks({ label, tabs }: TabLinksProps) {
  return (
    <Flex as="nav" aria-label={label} gap="1" borderBottomWidth="1px" borderColor="border" overflowX="auto" flexShrink="0">
      {tabs.map((tab) => (
        <Flex
          key={tab.label}
          asChild
          align="center"
          gap="1.5"
          h="9"
          px="2.5"
          mb="-1px"
          borderBottomWidth="2px"
          borderColor={tab.current ? "accent.solid" : "transparent"}
          color={tab.current ? "fg" : "fg.muted"}
          fontWeight="medium"
          whiteSpace="nowrap"
          outlineOffset="-2px"
          _hover={{ color: "fg" }}
        >
          <Link to={tab.to} replace aria-current={tab.current ? "page" : undefined}>
            {tab.label}
            {tab.count === undefined ? null : (
              <Text as="span" fontSize="xs" color="fg.subtle" fontWeight="normal">
                {tab.count}
              </Text>
            )}
          </Link>
        </Flex>
      ))}
    </Flex>
  );
}
