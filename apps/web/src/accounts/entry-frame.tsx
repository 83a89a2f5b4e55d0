import { Box, Flex, Heading, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { Brand } from "../app/sidebar.tsx";
import { usePageTitle } from "../ui/page.tsx";

interface EntryFrameProps {
  readonly title: string;
  readonly lead: ReactNode;
  readonly children: ReactNode;
}

/** The frame of the pages before one is signed in. */
export function EntryFrame({ title, lead, children }: EntryFrameProps) {
  usePageTitle(title);
  return (
    <Flex as="main" minH="100dvh" bg="bg.subtle" justify="center" align={{ base: "flex-start", sm: "center" }} p="4">
      <Box w="full" maxW="380px">
        <Brand />
        <Box bg="bg.panel" borderWidth="1px" borderColor="border" rounded="lg" p={{ base: "5", sm: "6" }}>
          <Heading as="h1" fontSize="lg" fontWeight="semibold" letterSpacing="-0.01em">
            {title}
          </Heading>
          <Text color="fg.muted" mb="5" mt="1">
            {lead}
          </Text>
          {children}
        </Box>
      </Box>
    </Flex>
  );
}
