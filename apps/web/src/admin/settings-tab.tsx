import { Box, Flex, Input, Text } from "@chakra-ui/react";
import type { Setting } from "@syla/sdk";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useSettings } from "./queries.ts";

/** Which settings say who gets in. */
const signIn = new Set(["signUp", "signUpDomains", "identityProviders", "trustedIssuers", "rateLimitAnonymous", "rateLimit"]);

/** What the server is configured to do. It is changed where the server is started: a page must not be able to weaken it. */
export function SettingsTab() {
  const settings = useSettings();
  const [query, setQuery] = useState("");
  if (settings.isError) return <ErrorPanel error={settings.error} onRetry={() => void settings.refetch()} />;
  if (!settings.data) return <SkeletonRows rows={8} />;
  const words = query.toLowerCase();
  const shown = settings.data.filter(({ env, name, description }) => `${env} ${name} ${description}`.toLowerCase().includes(words));
  const [policy, others] = [shown.filter(({ name }) => signIn.has(name)), shown.filter(({ name }) => !signIn.has(name))];
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
          Settings are changed by environment variables or in config.json of the data directory, and take effect at the next start.
        </Text>
      </Flex>
      {policy.length > 0 ? <SettingsSection heading="Signing in" settings={policy} /> : null}
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

const origins = { environment: "environment", file: "config.json", default: "default" } as const;

function SettingRow({ setting: { env, description, value, isSet, origin } }: { readonly setting: Setting }) {
  return (
    <Flex px="4" py="2.5" gap="4" wrap="wrap" borderTopWidth="1px" borderColor="border.muted" _first={{ borderTopWidth: 0 }}>
      <Box flex="2 1 320px" minW="0">
        <Text fontFamily="mono" fontSize="xs">
          {env}
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {description.replaceAll("`", "")}
        </Text>
      </Box>
      <Box flex="1 1 180px" minW="0">
        <Text overflowWrap="anywhere">{value ?? (isSet ? "set, not shown" : "not set")}</Text>
        <Text fontSize="xs" color={origin === "default" ? "fg.subtle" : "fg.muted"}>
          {origins[origin]}
        </Text>
      </Box>
    </Flex>
  );
}
