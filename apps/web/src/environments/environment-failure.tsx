import { Box, Text } from "@chakra-ui/react";
import type { EnvironmentError } from "@syla/sdk";
import { phaseLabels } from "./environment-state.tsx";

/** Why it could not be built, what to do, and what the package manager says. */
export function EnvironmentFailure({ error }: { readonly error: EnvironmentError }) {
  return (
    <Box role="alert" borderWidth="1px" borderColor="border.error" bg="bg.error" rounded="md" px="4" py="3" mb="6">
      <Text fontWeight="medium">{error.message}</Text>
      <Text mt="1">{error.hint}</Text>
      {error.explanation === null ? null : (
        <Box
          as="pre"
          mt="2"
          fontFamily="mono"
          fontSize="xs"
          lineHeight="18px"
          whiteSpace="pre-wrap"
          overflowWrap="anywhere"
          maxH="240px"
          overflowY="auto"
          tabIndex={0}
          role="region"
          aria-label="What the package manager says"
        >
          {error.explanation}
        </Box>
      )}
      <Text mt="2" fontSize="xs" color="fg.muted">
        {error.code}
        {error.phase === null ? "" : `, while ${phaseLabels[error.phase]}`}
      </Text>
    </Box>
  );
}
