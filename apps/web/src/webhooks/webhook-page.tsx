import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Webhook } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SaveProblem } from "../ui/save-problem.tsx";
import { Modal } from "../ui/modal.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { DeliveryLog } from "./delivery-log.tsx";
import { useDeleteWebhook, useRotateWebhook, useTestWebhook, useUpdateWebhook, useWebhook } from "./queries.ts";
import { toInput, WebhookFields, type WebhookForm } from "./webhook-fields.tsx";
import { WebhookState } from "./webhook-state.tsx";

/** One webhook: what it is told, what it was sent, and what it answered. */
export default function WebhookPage() {
  const { id = "" } = useParams();
  const webhook = useWebhook(id);
  return (
    <ScrollPage>
      {webhook.data ? (
        <Loaded key={id} webhook={webhook.data} />
      ) : webhook.isError ? (
        <ErrorPanel error={webhook.error} onRetry={() => void webhook.refetch()} />
      ) : (
        <SkeletonRows rows={4} />
      )}
    </ScrollPage>
  );
}

function Loaded({ webhook }: { readonly webhook: Webhook }) {
  const [asked, setAsked] = useState<"edit" | "delete" | null>(null);
  const test = useTestWebhook(webhook.id);
  const rotate = useRotateWebhook(webhook.id);
  const update = useUpdateWebhook(webhook.id);
  const problem = test.error ?? rotate.error ?? update.error;
  const actions = (
    <>
      <Button size="xs" variant="outline" loading={test.isPending} onClick={() => test.mutate()}>
        Send a test
      </Button>
      <Button size="xs" variant="outline" loading={update.isPending} onClick={() => update.mutate({ enabled: !webhook.enabled })}>
        {webhook.enabled ? "Switch off" : "Switch on"}
      </Button>
      <Button size="xs" variant="outline" onClick={() => setAsked("edit")}>
        Edit
      </Button>
      <Button size="xs" variant="outline" loading={rotate.isPending} onClick={() => rotate.mutate()}>
        New secret
      </Button>
      <Button size="xs" variant="outline" onClick={() => setAsked("delete")}>
        Delete
      </Button>
    </>
  );
  return (
    <>
      <PageHeader title={webhook.name} actions={webhook.mayManage ? actions : null}>
        <WebhookState webhook={webhook} />
      </PageHeader>
      {webhook.disabledReason === null ? null : (
        <Box role="alert" mb="4" px="4" py="3" borderWidth="1px" borderColor="border" rounded="md" bg="bg.warning">
          It was switched off: {webhook.disabledReason}. Switch it on when its address takes events; what was not taken can be sent again.
        </Box>
      )}
      {problem ? (
        <Box mb="4">
          <ErrorPanel error={problem} />
        </Box>
      ) : null}
      <Section heading="Webhook">
        <DefinitionList
          items={[
            ["Address", <Copyable key="url" text={webhook.url} label="address" />],
            ["Owner", webhook.owner.name],
            ["Events", webhook.events.join(", ")],
            ["Of programs", webhook.programIds === null ? null : webhook.programIds.join(", ")],
            ["Of runs that", webhook.runStatuses === null ? null : webhook.runStatuses.join(", ").replaceAll("_", " ")],
            ["Of assets", webhook.assetTypes === null ? null : webhook.assetTypes.join(", ")],
            ["Last taken", webhook.lastTakenAt === null ? "nothing yet" : <TimeAgo key="taken" time={webhook.lastTakenAt} />],
            ["Failing since", webhook.failingSince === null ? null : <TimeAgo key="failing" time={webhook.failingSince} />],
            ["Id", <Copyable key="id" text={webhook.id} label="webhook id" />],
          ]}
        />
        {rotate.data ? (
          <ShownOnce text={rotate.data.secret}>
            Copy the new secret now. It is not shown again; for a day messages are signed with the one before as well.
          </ShownOnce>
        ) : null}
      </Section>
      <DeliveryLog webhook={webhook} />
      {asked === "edit" ? <EditDialog webhook={webhook} onClose={() => setAsked(null)} /> : null}
      {asked === "delete" ? <DeleteDialog webhook={webhook} onClose={() => setAsked(null)} /> : null}
    </>
  );
}

interface DialogProps {
  readonly webhook: Webhook;
  readonly onClose: () => void;
}

function EditDialog({ webhook: given, onClose }: DialogProps) {
  const [webhook] = useState(given);
  const update = useUpdateWebhook(webhook.id, webhook.revision);
  const { name, url, events, runStatuses } = webhook;
  const [form, setForm] = useState<WebhookForm>({ name, url, events, runStatuses: runStatuses ?? [] });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate(toInput(form), { onSuccess: onClose });
  };
  return (
    <Modal label={`Edit “${name}”`} width="44rem" onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <WebhookFields form={form} onChange={setForm} error={update.error} />
        {update.error ? <SaveProblem error={update.error} loaded={webhook} /> : null}
        <Flex gap="2" justify="flex-end">
          <Button size="sm" variant="outline" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" size="sm" colorPalette="accent" disabled={form.events.length === 0} loading={update.isPending}>
            Save
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

function DeleteDialog({ webhook, onClose }: DialogProps) {
  const remove = useDeleteWebhook(webhook.id);
  const navigate = useNavigate();
  return (
    <Modal label={`Delete “${webhook.name}”?`} onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        <Text>What waits for it and its log go too. This cannot be undone.</Text>
        {remove.error ? <ErrorPanel error={remove.error} /> : null}
        <Flex gap="2" justify="flex-end">
          <Button size="sm" variant="outline" onClick={onClose}>
            Keep it
          </Button>
          <Button
            size="sm"
            colorPalette="red"
            loading={remove.isPending}
            onClick={() => remove.mutate(undefined, { onSuccess: () => void navigate("/webhooks") })}
          >
            Delete
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
