import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { ApiKey } from "@syla/sdk";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Modal } from "../../ui/modal.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { TimeAgo } from "../../ui/time-ago.tsx";
import { KeyQuotasDialog } from "../../usage/key-quotas.tsx";
import { useApiKeys, useDeleteApiKey } from "../queries.ts";
import { NewKeyForm } from "./new-key-form.tsx";

/** The keys with which programs act as you. */
export function ApiKeysTab() {
  const keys = useApiKeys();
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const [limiting, setLimiting] = useState<ApiKey | null>(null);
  return (
    <>
      <NewKeyForm />
      <Section heading="Your keys">
        {keys.isPending ? <SkeletonRows rows={2} /> : null}
        {keys.isError ? <ErrorPanel error={keys.error} onRetry={() => void keys.refetch()} /> : null}
        {keys.data?.length === 0 ? (
          <EmptyState icon={KeyRound} title="No API keys yet">
            Create one above to use Syla from a program, CI, or the command line of another machine.
          </EmptyState>
        ) : null}
        {keys.data?.map((key) => (
          <KeyRow key={key.id} apiKey={key} onRevoke={() => setRevoking(key)} onQuotas={() => setLimiting(key)} />
        ))}
      </Section>
      {limiting ? <KeyQuotasDialog apiKey={limiting} onClose={() => setLimiting(null)} /> : null}
      {revoking ? <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} /> : null}
    </>
  );
}

interface KeyRowProps {
  readonly apiKey: ApiKey;
  readonly onRevoke: () => void;
  readonly onQuotas: () => void;
}

function KeyRow({ apiKey, onRevoke, onQuotas }: KeyRowProps) {
  return (
    <Flex align="center" gap="3" px="4" py="2.5" borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
      <Box minW="0" flex="1">
        <Flex gap="2" align="baseline">
          <Text fontWeight="medium" truncate>
            {apiKey.name}
          </Text>
          <Text fontFamily="mono" fontSize="xs" color="fg.subtle">
            {apiKey.start}…
          </Text>
        </Flex>
        <Text fontSize="xs" color="fg.muted" fontFamily="mono" wordBreak="break-word">
          {apiKey.scopes.join(" ")}
          {apiKey.requestsPerMinute === null ? null : ` · ${apiKey.requestsPerMinute}/min`}
          {apiKey.hasQuotas ? " · quotas of its own" : null}
        </Text>
        <Text as="div" fontSize="xs" color="fg.muted">
          made <TimeAgo time={apiKey.createdAt} /> ·{" "}
          {apiKey.lastUsedAt ? (
            <>
              used <TimeAgo time={apiKey.lastUsedAt} />
            </>
          ) : (
            "never used"
          )}{" "}
          ·{" "}
          {apiKey.expiresAt ? (
            <>
              ends <TimeAgo time={apiKey.expiresAt} />
            </>
          ) : (
            "never ends"
          )}
        </Text>
      </Box>
      <Button size="xs" variant="outline" onClick={onQuotas} aria-label={`Quotas of ${apiKey.name}`}>
        Quotas
      </Button>
      <Button size="xs" variant="outline" onClick={onRevoke} aria-label={`Revoke ${apiKey.name}`}>
        Revoke
      </Button>
    </Flex>
  );
}

function RevokeDialog({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }) {
  const remove = useDeleteApiKey();
  return (
    <Modal label={`Revoke “${apiKey.name}”?`} onClose={onClose}>
      <Box p="4">
        <Text mb="4">Whatever uses this key is refused from now on. This cannot be undone.</Text>
        {remove.error ? <ErrorPanel error={remove.error} /> : null}
        <Flex gap="2" justify="flex-end" mt="2">
          <Button size="xs" variant="outline" onClick={onClose}>
            Keep it
          </Button>
          <Button
            size="xs"
            colorPalette="red"
            loading={remove.isPending}
            loadingText="Revoking"
            onClick={() => remove.mutate(apiKey.id, { onSuccess: onClose })}
          >
            Revoke key
          </Button>
        </Flex>
      </Box>
    </Modal>
  );
}
