import { Box, Flex, Text } from "@chakra-ui/react";
import type { AuditVerification } from "@syla/sdk";
import { ShieldCheck, ShieldX } from "lucide-react";
import { Copyable } from "../ui/copyable.tsx";
import { formatPlural } from "../ui/format.ts";

/** What checking the trail found. */
export function VerifyResult({ result }: { readonly result: AuditVerification }) {
  const { problem, events, seals, unsealed, anchor, head } = result;
  return (
    <Flex
      role="status"
      gap="3"
      p="3"
      mb="3"
      align="flex-start"
      borderWidth="1px"
      borderColor="border"
      rounded="md"
      bg="bg.panel"
      data-verified={result.ok}
    >
      <Box aria-hidden color={problem === null ? "fg.success" : "fg.error"} mt="0.5">
        {problem === null ? <ShieldCheck size={16} /> : <ShieldX size={16} />}
      </Box>
      <Box minW="0">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {problem === null ? "The audit trail is as it was sealed." : problem.message}
        </Text>
        <Text color="fg.muted">
          {problem === null ? "Checked" : "In order until there:"} {formatPlural(events, "event")} in {formatPlural(seals, "seal")};{" "}
          {formatPlural(unsealed, "event")} of the last seconds not sealed yet
          {anchor.seal === 0 ? "" : `; older than seal ${anchor.seal} was removed because of its age`}.
        </Text>
        {problem === null ? (
          <Flex align="center" gap="2" fontSize="xs" color="fg.subtle" wrap="wrap">
            Keep the hash of seal {head.seal} elsewhere, to compare later: <Copyable text={head.hash} label="hash" />
          </Flex>
        ) : null}
      </Box>
    </Flex>
  );
}
