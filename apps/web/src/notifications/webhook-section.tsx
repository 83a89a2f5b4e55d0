import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { NotificationPreferences } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { Copyable } from "../ui/copyable.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { useChangePreferences, useRotateWebhookSecret, useTestChannel } from "./queries.ts";
import { TestResult } from "./test-result.tsx";

/** The address of your webhook, the secret that signs it, and a test. */
export function WebhookSection({ preferences }: { readonly preferences: NotificationPreferences }) {
  const change = useChangePreferences();
  const test = useTestChannel();
  const rotate = useRotateWebhookSecret();
  const [url, setUrl] = useState(preferences.webhookUrl ?? "");
  const save = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ webhookUrl: url.trim() || null });
  };
  return (
    <Section heading="Webhook" note="A signed request for each notification.">
      <Flex as="form" onSubmit={save} gap="3" p="4" pb="2" align="flex-end" wrap="wrap">
        <Box flex="1 1 240px">
          <TextField
            label="Address"
            type="url"
            placeholder="https://example.org/hooks/syla"
            value={url}
            onChange={(event) => setUrl(event.currentTarget.value)}
            problem={fieldProblem(change.error, "webhookUrl")}
          />
        </Box>
        <Button type="submit" size="sm" variant="outline" loading={change.isPending}>
          Save
        </Button>
      </Flex>
      <Flex gap="3" px="4" pb="4" align="center" wrap="wrap">
        <Button
          size="xs"
          variant="outline"
          disabled={preferences.webhookUrl === null}
          loading={test.isPending}
          onClick={() => test.mutate("webhook")}
        >
          Send a test
        </Button>
        <Button size="xs" variant="outline" loading={rotate.isPending} onClick={() => rotate.mutate()}>
          New secret
        </Button>
        <TestResult test={test} />
      </Flex>
      {rotate.data ? (
        <Box px="4" py="3" bg="accent.subtle" borderTopWidth="1px" borderColor="border" role="status">
          <Text fontWeight="medium">Copy the secret now. It is not shown again, and the one before is worth nothing any more.</Text>
          <Copyable text={rotate.data} label="secret" />
        </Box>
      ) : null}
      {(change.error ?? rotate.error) ? <ErrorPanel error={change.error ?? rotate.error} /> : null}
    </Section>
  );
}
