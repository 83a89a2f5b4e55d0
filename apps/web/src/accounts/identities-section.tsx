import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { EntryForm, PasswordField } from "./entry-form.tsx";
import { useIdentities, useLinkIdentity, useSignInProviders, useUnlinkIdentity } from "./queries.ts";

/** Accounts elsewhere that let one in here; nothing where none are configured or linked. */
export function IdentitiesSection() {
  const providers = useSignInProviders();
  const identities = useIdentities();
  const unlink = useUnlinkIdentity();
  const [linking, setLinking] = useState<{ id: string; name: string } | null>(null);
  const linked = identities.data ?? [];
  const others = (providers.data ?? []).filter(({ id }) => !linked.some(({ provider }) => provider === id));
  if (linked.length === 0 && others.length === 0) return null;
  return (
    <Section heading="Accounts elsewhere" note="Whoever can sign in there can sign in here.">
      {identities.isError ? <ErrorPanel error={identities.error} onRetry={() => void identities.refetch()} /> : null}
      {unlink.error ? <ErrorPanel error={unlink.error} /> : null}
      {linked.map(({ id, providerName, createdAt }) => (
        <Flex key={id} p="4" gap="3" align="center" wrap="wrap">
          <Box flex="1 1 180px">
            <Text fontWeight="medium">{providerName}</Text>
            <Text color="fg.muted" fontSize="sm">
              Linked <TimeAgo time={createdAt} />
            </Text>
          </Box>
          <Button size="sm" variant="outline" loading={unlink.isPending} onClick={() => unlink.mutate(id)}>
            Unlink
          </Button>
        </Flex>
      ))}
      {others.map((provider) => (
        <Flex key={provider.id} p="4" gap="3" align="center" wrap="wrap">
          <Box flex="1 1 180px">
            <Text fontWeight="medium">{provider.name}</Text>
            <Text color="fg.muted" fontSize="sm">
              Not linked
            </Text>
          </Box>
          <Button size="sm" variant="outline" onClick={() => setLinking(provider)}>
            Link
          </Button>
        </Flex>
      ))}
      {linking === null ? null : <LinkDialog provider={linking} onClose={() => setLinking(null)} />}
    </Section>
  );
}

/** Linking asks for the password: who finds an open browser must not make themselves a way in. */
function LinkDialog({
  provider,
  onClose,
}: {
  readonly provider: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
}) {
  const link = useLinkIdentity();
  const [password, setPassword] = useState("");
  return (
    <Modal label={`Link ${provider.name}`} onClose={onClose}>
      <Box p="4">
        <EntryForm
          error={link.error}
          pending={link.isPending}
          submit={`Go on to ${provider.name}`}
          onSubmit={() => link.mutate({ provider: provider.id, password })}
        >
          <PasswordField value={password} onChange={setPassword} />
        </EntryForm>
      </Box>
    </Modal>
  );
}
