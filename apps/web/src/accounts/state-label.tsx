import { Text } from "@chakra-ui/react";

interface StateLabelProps {
  readonly children: string;
  readonly good?: boolean;
}

/** A word about how something stands. */
export function StateLabel({ children, good = false }: StateLabelProps) {
  return (
    <Text
      as="span"
      fontSize="xs"
      fontWeight="medium"
      px="2"
      py="0.5"
      rounded="full"
      borderWidth="1px"
      borderColor="border"
      color={good ? "fg.success" : "fg.muted"}
      flexShrink="0"
    >
      {children}
    </Text>
  );
}
