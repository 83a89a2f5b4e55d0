import { Box, type BoxProps, Flex, Heading } from "@chakra-ui/react";
import { type ReactNode, useEffect, useRef } from "react";
import { useScrollKeys } from "./use-scroll-keys.ts";

/** Names the browser tab while the page is shown. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Syla`;
  }, [title]);
}

interface PageHeaderProps {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

/** The page's one first-level heading and its actions. */
export function PageHeader({ title, actions, children }: PageHeaderProps) {
  usePageTitle(title);
  return (
    <Flex align="center" gap="3" wrap="wrap" mb="4" minH="8">
      <Heading as="h1" fontSize="lg" lineHeight="1.5" fontWeight="semibold" letterSpacing="-0.01em">
        {title}
      </Heading>
      {children}
      {actions ? (
        <Flex ml="auto" gap="2" align="center" wrap="wrap">
          {actions}
        </Flex>
      ) : null}
    </Flex>
  );
}

/** A page that scrolls, with a readable width. */
export function ScrollPage({ children, ...props }: BoxProps) {
  const box = useRef<HTMLDivElement>(null);
  useScrollKeys(box);
  return (
    <Box ref={box} h="100%" overflowY="auto" data-scrolls {...props}>
      <Box maxW="1120px" mx="auto" px={{ base: "4", md: "6" }} py="5">
        {children}
      </Box>
    </Box>
  );
}

interface SectionProps extends BoxProps {
  readonly heading: string;
  readonly note?: ReactNode;
}

/** A titled block with a hairline frame. */
export function Section({ heading, note, children, ...props }: SectionProps) {
  return (
    <Box as="section" mb="6" {...props}>
      <Flex align="baseline" gap="2" mb="2">
        <Heading as="h2" fontSize="sm" lineHeight="1.5" fontWeight="semibold">
          {heading}
        </Heading>
        {note ? (
          <Box fontSize="xs" color="fg.subtle">
            {note}
          </Box>
        ) : null}
      </Flex>
      <Box borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
        {children}
      </Box>
    </Box>
  );
}
