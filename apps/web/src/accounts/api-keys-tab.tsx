import { Box, Button, Flex, NativeSelect, Text } from "@chakra-ui/react";
import type { ApiKey } from "@syla/sdk";
import { KeyRound } from "lucide-react";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { Section } from "../ui/page.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useApiKeys, useCreateApiKey, useDeleteApiKey } from "./queries.ts";

/** The keys with which programs act as you. */
export function ApiKeysTab() {
  const keys = useApiKeys();
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
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
          <KeyRow key={key.id} apiKey={key} onRevoke={() => setRevoking(key)} />
        ))}
      </Section>
      {revoking ? <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} /> : null}
    </>
  );
}

function NewKeyForm() {
  const create = useCreateApiKey();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name, ...(days ? { expiresInDays: Number(days) } : {}) }, { onSuccess: () => setName("") });
  };
  return (
    <Section heading="New key">
      <Flex as="form" onSubmit={onSubmit} gap="3" p="4" align="flex-end" wrap="wrap">
        <Box flex="1 1 200px">
          <TextField
            label="Name"
            required
            maxLength={100}
            placeholder="what will use it"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            problem={fieldProblem(create.error, "name")}
          />
        </Box>
        <NativeSelect.Root size="sm" w="36">
          <NativeSelect.Field aria-label="Expires" value={days} onChange={(event) => setDays(event.currentTarget.value)}>
            <option value="7">for 7 days</option>
            <option value="90">for 90 days</option>
            <option value="365">for a year</option>
            <option value="">without end</option>
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
        <Button type="submit" size="sm" colorPalette="accent" loading={create.isPending} loadingText="Creating">
          Create key
        </Button>
      </Flex>
      {create.error ? (
        <Box px="4" pb="4">
          <ErrorPanel error={create.error} />
        </Box>
      ) : null}
      {create.data ? <ShownOnce text={create.data.key}>Copy the key “{create.data.name}” now. It is not shown again.</ShownOnce> : null}
    </Section>
  );
}

function KeyRow({ apiKey, onRevoke }: { readonly apiKey: ApiKey; readonly onRevoke: () => void }) {
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
