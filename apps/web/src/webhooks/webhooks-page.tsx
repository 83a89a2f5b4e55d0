import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Webhook } from "@syla/sdk";
import { Webhook as WebhookIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Link } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { useTeams } from "../teams/queries.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useCreateWebhook, useWebhooks } from "./queries.ts";
import { emptyWebhook, toInput, WebhookFields } from "./webhook-fields.tsx";
import { WebhookState } from "./webhook-state.tsx";

/** Addresses that are told of what happens. */
export default function WebhooksPage() {
  const webhooks = useWebhooks();
  const mayCreate = useMe().data?.role !== "end_user";
  return (
    <ScrollPage>
      <PageHeader title="Webhooks" />
      {mayCreate ? <NewWebhook /> : null}
      <Section heading="Yours and your teams'">
        {webhooks.isPending ? <SkeletonRows rows={2} /> : null}
        {webhooks.isError ? <ErrorPanel error={webhooks.error} onRetry={() => void webhooks.refetch()} /> : null}
        {webhooks.data?.length === 0 ? (
          <EmptyState icon={WebhookIcon} title="No webhooks yet">
            {mayCreate
              ? "Add an address above, and it is told when runs end, when the catalog changes and when a quota runs out."
              : "Webhooks are made by developers; ask an administrator to be one."}
          </EmptyState>
        ) : null}
        {webhooks.data?.map((webhook) => (
          <WebhookRow key={webhook.id} webhook={webhook} />
        ))}
      </Section>
    </ScrollPage>
  );
}

function NewWebhook() {
  const create = useCreateWebhook();
  const teams = useTeams();
  const [form, setForm] = useState(emptyWebhook);
  const [owner, setOwner] = useState("");
  const owned = teams.data?.filter(({ yourRole }) => yourRole === "owner") ?? [];
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ ...toInput(form), ...(owner === "" ? {} : { ownerId: owner }) }, { onSuccess: () => setForm(emptyWebhook) });
  };
  return (
    <Section heading="New webhook" note="A signed request for each event.">
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <WebhookFields form={form} onChange={setForm} error={create.error} />
        {create.error ? <ErrorPanel error={create.error} /> : null}
        <Flex gap="3" justify="flex-end" wrap="wrap">
          {owned.length > 0 ? (
            <SelectField label="Owner" value={owner} onChoose={setOwner}>
              <option value="">yours</option>
              {owned.map((team) => (
                <option key={team.id} value={team.id}>
                  {team.name}
                </option>
              ))}
            </SelectField>
          ) : null}
          <Button type="submit" size="sm" colorPalette="accent" disabled={form.events.length === 0} loading={create.isPending}>
            Add webhook
          </Button>
        </Flex>
      </Flex>
      {create.data ? (
        <ShownOnce text={create.data.secret}>Copy the secret of “{create.data.name}” now. It is not shown again.</ShownOnce>
      ) : null}
    </Section>
  );
}

function WebhookRow({ webhook }: { readonly webhook: Webhook }) {
  return (
    <Flex
      align="center"
      gap="3"
      px="4"
      py="2.5"
      wrap="wrap"
      position="relative"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
      _hover={{ bg: "bg.muted" }}
    >
      <Box minW="0" flex="1 1 240px">
        <Text as="div" fontWeight="medium" truncate css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
          <Link to={`/webhooks/${webhook.id}`}>{webhook.name}</Link>
        </Text>
        <Text as="div" fontFamily="mono" fontSize="xs" color="fg.muted" truncate title={webhook.url}>
          {webhook.url}
        </Text>
        <Text as="div" fontSize="xs" color="fg.muted">
          {webhook.owner.name} · {webhook.events.join(", ")}
        </Text>
      </Box>
      <Flex direction="column" align={{ base: "flex-start", md: "flex-end" }} fontSize="xs" color="fg.muted">
        <WebhookState webhook={webhook} />
        {webhook.lastTakenAt === null ? (
          "nothing taken yet"
        ) : (
          <span>
            last taken <TimeAgo time={webhook.lastTakenAt} />
          </span>
        )}
      </Flex>
    </Flex>
  );
}
