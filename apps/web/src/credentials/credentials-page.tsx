import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Credential } from "@syla/sdk";
import { KeySquare } from "lucide-react";
import { useState } from "react";
import { useMe } from "../accounts/queries.ts";
import { useNow } from "../ui/clock.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { DeleteDialog, ReplaceDialog } from "./credential-dialogs.tsx";
import { CredentialForm } from "./credential-form.tsx";
import { kindLabels } from "./kinds.ts";
import { useCredentials } from "./queries.ts";

type What = "change" | "replace" | "delete";
type Asked = { readonly what: What; readonly credential: Credential } | null;

/** Stored secrets: what is known of them, and never what they are. */
export default function CredentialsPage() {
  const credentials = useCredentials();
  const role = useMe().data?.role;
  const [asked, setAsked] = useState<Asked>(null);
  return (
    <ScrollPage>
      <PageHeader title="Credentials" />
      {role === "end_user" ? null : (
        <Section heading="New credential" note="A secret is stored sealed, used where you say, and never shown.">
          <CredentialForm onCreated={() => {}} />
        </Section>
      )}
      <Section heading="Yours and your teams'">
        {credentials.isPending ? <SkeletonRows rows={2} /> : null}
        {credentials.isError ? <ErrorPanel error={credentials.error} onRetry={() => void credentials.refetch()} /> : null}
        {credentials.data?.length === 0 ? (
          <EmptyState icon={KeySquare} title="No credentials yet">
            Store the key of a model provider to add a model, or a token for git to import programs.
          </EmptyState>
        ) : null}
        {credentials.data?.map((credential) => (
          <CredentialRow key={credential.id} credential={credential} onAsk={(what) => setAsked({ what, credential })} />
        ))}
      </Section>
      {asked?.what === "change" ? <ChangeDialog credential={asked.credential} onClose={() => setAsked(null)} /> : null}
      {asked?.what === "replace" ? <ReplaceDialog credential={asked.credential} onClose={() => setAsked(null)} /> : null}
      {asked?.what === "delete" ? <DeleteDialog credential={asked.credential} onClose={() => setAsked(null)} /> : null}
    </ScrollPage>
  );
}

const soonMs = 7 * 86_400_000;

function CredentialRow({ credential, onAsk }: { readonly credential: Credential; readonly onAsk: (what: What) => void }) {
  const { name, kind, owner, username, host, useCount, lastUsedAt, expiresAt, mayManage } = credential;
  return (
    <Flex
      align="center"
      gap="3"
      px="4"
      py="2.5"
      wrap="wrap"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
    >
      <Box minW="0" flex="1 1 220px">
        <Flex gap="2" align="baseline" wrap="wrap">
          <Text fontWeight="medium" overflowWrap="anywhere">
            {name}
          </Text>
          <Text fontSize="xs" color="fg.muted">
            {kindLabels[kind]}
            {host === null ? null : ` · ${host}`}
            {username === null ? null : ` · ${username}`}
          </Text>
        </Flex>
        <Text as="div" fontSize="xs" color="fg.muted">
          {owner.name} · used by {formatPlural(useCount, "thing")} ·{" "}
          {lastUsedAt === null ? (
            "never used"
          ) : (
            <>
              last used <TimeAgo time={lastUsedAt} />
            </>
          )}
          {expiresAt === null ? null : <Expiry expiresAt={expiresAt} />}
        </Text>
      </Box>
      {mayManage ? (
        <Flex gap="2">
          <Button size="xs" variant="outline" aria-label={`Change ${name}`} onClick={() => onAsk("change")}>
            Change
          </Button>
          <Button size="xs" variant="outline" aria-label={`Replace ${name}`} onClick={() => onAsk("replace")}>
            Replace
          </Button>
          <Button size="xs" variant="outline" aria-label={`Delete ${name}`} onClick={() => onAsk("delete")}>
            Delete
          </Button>
        </Flex>
      ) : null}
    </Flex>
  );
}

function Expiry({ expiresAt }: { readonly expiresAt: string }) {
  const left = Date.parse(expiresAt) - useNow();
  return (
    <Text as="span" color={left < soonMs ? "fg.error" : "fg.muted"}>
      {" · "}
      {left <= 0 ? "expired " : "expires "}
      <TimeAgo time={expiresAt} />
    </Text>
  );
}
