import { Box, Button, Checkbox, Flex, NativeSelect, Table } from "@chakra-ui/react";
import type { NotificationPreferences } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { notificationLooks, notificationTypes } from "./notification-looks.ts";
import { useChangePreferences, usePreferences, useTestChannel } from "./queries.ts";
import { QuietHoursSection } from "./quiet-hours-section.tsx";
import { TestResult } from "./test-result.tsx";
import { WebhookSection } from "./webhook-section.tsx";

/** Where you want to be told of what, and when not. Every change is saved at once. */
export function NotificationPreferencesTab() {
  const preferences = usePreferences();
  if (preferences.isError) return <ErrorPanel error={preferences.error} onRetry={() => void preferences.refetch()} />;
  if (!preferences.data) return <SkeletonRows rows={8} />;
  return (
    <>
      <TypeTable preferences={preferences.data} />
      <EmailSection preferences={preferences.data} />
      <QuietHoursSection preferences={preferences.data} />
      <WebhookSection preferences={preferences.data} />
    </>
  );
}

const channels = [
  { key: "inApp", label: "Here" },
  { key: "email", label: "E-mail" },
  { key: "webhook", label: "Webhook" },
] as const;

function TypeTable({ preferences }: { readonly preferences: NotificationPreferences }) {
  const change = useChangePreferences();
  return (
    <Section heading="What, and where">
      {change.error ? <ErrorPanel error={change.error} /> : null}
      <Table.ScrollArea>
        <Table.Root size="sm">
          <Table.Header>
            <Table.Row>
              <Table.ColumnHeader>Type</Table.ColumnHeader>
              {channels.map(({ key, label }) => (
                <Table.ColumnHeader key={key} textAlign="center">
                  {label}
                </Table.ColumnHeader>
              ))}
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {notificationTypes.map((type) => (
              <Table.Row key={type}>
                <Table.Cell>{notificationLooks[type].label}</Table.Cell>
                {channels.map(({ key, label }) => (
                  <Table.Cell key={key} textAlign="center">
                    <Checkbox.Root
                      size="sm"
                      checked={preferences.types[type][key]}
                      onCheckedChange={({ checked }) =>
                        change.mutate({ types: { [type]: { ...preferences.types[type], [key]: checked === true } } })
                      }
                    >
                      <Checkbox.HiddenInput aria-label={`${notificationLooks[type].label}: ${label}`} />
                      <Checkbox.Control />
                    </Checkbox.Root>
                  </Table.Cell>
                ))}
              </Table.Row>
            ))}
          </Table.Body>
        </Table.Root>
      </Table.ScrollArea>
    </Section>
  );
}

const digests = [
  { value: "immediate", label: "each at once" },
  { value: "daily", label: "one a day, at 8:00" },
  { value: "weekly", label: "one a week, on Monday at 8:00" },
  { value: "never", label: "none" },
] as const;

function EmailSection({ preferences }: { readonly preferences: NotificationPreferences }) {
  const change = useChangePreferences();
  const test = useTestChannel();
  return (
    <Section heading="E-mail">
      <Flex gap="3" p="4" align="center" wrap="wrap">
        <NativeSelect.Root size="sm" w="auto">
          <NativeSelect.Field
            aria-label="E-mails"
            value={preferences.digest}
            onChange={(event) => change.mutate({ digest: event.currentTarget.value as NotificationPreferences["digest"] })}
          >
            {digests.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
        <Button size="xs" variant="outline" loading={test.isPending} onClick={() => test.mutate("email")}>
          Send a test
        </Button>
        <TestResult test={test} />
      </Flex>
      {change.error ? <ErrorPanel error={change.error} /> : null}
    </Section>
  );
}
