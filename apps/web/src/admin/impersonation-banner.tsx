import { Button, Flex, Text } from "@chakra-ui/react";
import { VenetianMask } from "lucide-react";
import { useMe } from "../accounts/queries.ts";
import { useImpersonation, useStopImpersonation } from "./queries.ts";

/** Says on every page that an administrator is acting as somebody else, and ends it. */
export function ImpersonationBanner() {
  const impersonation = useImpersonation();
  const stop = useStopImpersonation();
  const me = useMe();
  if (impersonation.data?.active !== true) return null;
  return (
    <Flex
      role="status"
      align="center"
      gap="2"
      px="4"
      py="1.5"
      bg="bg.error"
      color="fg.error"
      borderBottomWidth="1px"
      borderColor="border"
      fontSize="xs"
    >
      <VenetianMask size={14} aria-hidden />
      <Text minW="0" overflowWrap="anywhere">
        You are acting as <strong>{me.data?.name}</strong>. Everything you do is recorded. Reason: {impersonation.data.reason}
      </Text>
      <Button ml="auto" size="2xs" variant="outline" flexShrink="0" loading={stop.isPending} onClick={() => stop.mutate()}>
        Stop
      </Button>
    </Flex>
  );
}
