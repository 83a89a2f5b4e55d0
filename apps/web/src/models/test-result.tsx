import { Box, Flex, Text } from "@chakra-ui/react";
import type { ModelTest } from "@syla/sdk";
import { CircleCheck, CircleX } from "lucide-react";
import { formatDuration } from "../ui/format.ts";

const advice: Readonly<Record<NonNullable<ModelTest["code"]>, string>> = {
  invalid_api_key: "The provider does not take this key. Replace the secret of the credential.",
  unreachable: "The address does not answer, or this server may not reach it.",
  unknown_model: "The provider has no model of this name.",
  rate_limited: "The provider is busy, or the account has used up what it may. Try again later.",
  timeout: "No answer came in time.",
  garbled: "What answers does not speak this provider's language. Check the address.",
  credential: "The credential is gone, or has expired.",
  failed: "The provider refused the call.",
};

const yesNo = (value: boolean | null) => (value === null ? "unknown" : value ? "yes" : "no");

/** How a model answered. */
export function TestResult({ test }: { readonly test: ModelTest }) {
  const { tools, json, vision, embeddings } = test.capabilities;
  return (
    <Flex role="status" gap="3" mt="3" p="3" borderWidth="1px" borderColor="border" rounded="md" align="flex-start">
      <Box aria-hidden color={test.ok ? "fg.success" : "fg.error"} mt="0.5">
        {test.ok ? <CircleCheck size={16} /> : <CircleX size={16} />}
      </Box>
      <Box minW="0">
        {test.code === null ? (
          <>
            <Text fontWeight="medium">
              It answers in {formatDuration(test.latencyMs)}, the first word after {formatDuration(test.firstByteMs)}.
            </Text>
            <Text color="fg.muted" fontSize="sm">
              Tools: {yesNo(tools)} · JSON schemas: {yesNo(json)} · pictures: {yesNo(vision)} · embeddings: {yesNo(embeddings)}
            </Text>
          </>
        ) : (
          <>
            <Text fontWeight="medium">{advice[test.code]}</Text>
            <Text color="fg.muted" fontSize="sm" overflowWrap="anywhere">
              {test.message}{" "}
              <Text as="span" fontFamily="mono" fontSize="xs">
                {test.code}
              </Text>
            </Text>
          </>
        )}
      </Box>
    </Flex>
  );
}
