import { Box, Button, chakra, Flex, NativeSelect } from "@chakra-ui/react";
import type { NotificationPreferences } from "@syla/sdk";
import { CheckBox } from "../ui/check-box.tsx";
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
      <Box overflowX="auto" tabIndex={0} role="region" aria-label="What, and where">
        <chakra.table w="full">
          <thead>
            <chakra.tr borderBottomWidth="1px" borderColor="border" color="fg.muted" fontSize="xs">
              <chakra.th px="4" py="2" textAlign="start" fontWeight="medium">
                Type
              </chakra.th>
              {channels.map(({ key, label }) => (
                <chakra.th key={key} px="2" py="2" w="20" fontWeight="medium">
                  {label}
                </chakra.th>
              ))}
            </chakra.tr>
          </thead>
          <tbody>
            {notificationTypes.map((type) => (
              <chakra.tr key={type} borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
                <chakra.td px="4" py="1.5">
                  {notificationLooks[type].label}
                </chakra.td>
                {channels.map(({ key, label }) => (
                  <chakra.td key={key} textAlign="center">
                    <CheckBox
                      aria-label={`${notificationLooks[type].label}: ${label}`}
                      checked={preferences.types[type][key]}
                      onChange={(event) =>
                        change.mutate({ types: { [type]: { ...preferences.types[type], [key]: event.currentTarget.checked } } })
                      }
                    />
                  </chakra.td>
                ))}
              </chakra.tr>
            ))}
          </tbody>
        </chakra.table>
      </Box>
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
