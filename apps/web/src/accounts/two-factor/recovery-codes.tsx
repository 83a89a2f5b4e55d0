import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useCopy } from "../../ui/copyable.tsx";

/** Recovery codes, the one time that they are shown. */
export function RecoveryCodes({ codes, onClose }: { readonly codes: readonly string[]; readonly onClose: () => void }) {
  const [copied, copy] = useCopy();
  return (
    <>
      <Text mb="3">Keep these where you find them without your authenticator. Each lets you in once. They are not shown again.</Text>
      <Box
        role="list"
        fontFamily="mono"
        fontSize="sm"
        columnCount={2}
        p="3"
        borderWidth="1px"
        borderColor="border"
        rounded="md"
        bg="bg.subtle"
      >
        {codes.map((code) => (
          <Box role="listitem" key={code}>
            {code}
          </Box>
        ))}
      </Box>
      <Flex gap="2" justify="flex-end" mt="4">
        <Button size="sm" variant="outline" onClick={() => copy(codes.join("\n"))}>
          {copied ? "Copied" : "Copy"}
        </Button>
        <Button size="sm" colorPalette="accent" onClick={onClose}>
          I have kept them
        </Button>
      </Flex>
    </>
  );
}
