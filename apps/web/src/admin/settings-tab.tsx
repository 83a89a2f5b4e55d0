import { Flex, Input, Text } from "@chakra-ui/react";
import type { Setting } from "@syla/sdk";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useSettings } from "./queries.ts";
import { SettingRow } from "./setting-row.tsx";

/** Which settings say who gets in. */
const signIn = new Set([
  "signUp",
  "signUpDomains",
  "anonymousLinks",
  "identityProviders",
  "trustedIssuers",
  "rateLimitAnonymous",
  "rateLimit",
]);

/** What the server is configured to do. What may safely change while it runs is changed here; the rest, where the server is started. */
export function SettingsTab() {
  const settings = useSettings();
  const [query, setQuery] = useState("");
  if (settings.isError) return <ErrorPanel error={settings.error} onRetry={() => void settings.refetch()} />;
  if (!settings.data) return <SkeletonRows rows={8} />;
  const words = query.toLowerCase();
  const shown = settings.data.filter(({ env, name, description }) => `${env} ${name} ${description}`.toLowerCase().includes(words));
  const [policy, rest] = [shown.filter(({ name }) => signIn.has(name)), shown.filter(({ name }) => !signIn.has(name))];
  const [live, others] = [rest.filter(({ form }) => form !== null), rest.filter(({ form }) => form === null)];
  return (
    <>
      <Flex gap="3" mb="4" align="center" wrap="wrap">
        <Input
          size="sm"
          maxW="320px"
          type="search"
          placeholder="Find a setting"
          aria-label="Find a setting"
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
        />
        <Text fontSize="xs" color="fg.muted">
          What is chosen here takes effect at once. Everything else is set by environment variables or in config.json of the data directory,
          when the server starts; what is set there wins.
        </Text>
      </Flex>
      {policy.length > 0 ? <SettingsSection heading="Signing in" settings={policy} /> : null}
      {live.length > 0 ? <SettingsSection heading="What people may use" settings={live} /> : null}
      {others.length > 0 ? <SettingsSection heading="Everything else" settings={others} /> : null}
      {shown.length === 0 ? <Text color="fg.muted">No setting matches.</Text> : null}
    </>
  );
}

function SettingsSection({ heading, settings }: { readonly heading: string; readonly settings: readonly Setting[] }) {
  return (
    <Section heading={heading}>
      {settings.map((setting) => (
        <SettingRow key={setting.name} setting={setting} />
      ))}
    </Section>
  );
}
