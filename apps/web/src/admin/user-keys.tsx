import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { ApiKey } from "@syla/sdk";
import { useState } from "react";
import { useApiKeys } from "../accounts/queries.ts";
import { KeyQuotasDialog } from "../usage/key-quotas.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";

/** The keys of somebody, and what each may use; nothing where there are none. */
export function UserKeys({ userId }: { readonly userId: string }) {
  const keys = useApiKeys(userId);
  const [edited, setEdited] = useState<ApiKey | null>(null);
  if (keys.isError) return <ErrorPanel error={keys.error} onRetry={() => void keys.refetch()} />;
  if (!keys.data?.length) return null;
  return (
    <Box as="section" aria-label="API keys" px="4" py="3" borderTopWidth="1px" borderColor="border">
      {keys.data.map((key) => (
        <Flex key={key.id} align="center" gap="2" py="1">
          <Text truncate flex="1" minW="0">
            {key.name}{" "}
            <Text as="span" fontFamily="mono" fontSize="xs" color="fg.subtle">
              {key.start}…
            </Text>
          </Text>
          <Button size="2xs" variant="outline" aria-label={`Quotas of ${key.name}`} onClick={() => setEdited(key)}>
            {key.hasQuotas ? "Own quotas" : "Quotas"}
          </Button>
        </Flex>
      ))}
      {edited ? <KeyQuotasDialog apiKey={edited} onClose={() => setEdited(null)} /> : null}
    </Box>
  );
}
