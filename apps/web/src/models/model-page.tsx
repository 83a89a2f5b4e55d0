import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { LlmCall, Model } from "@syla/sdk";
import { useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { ShareButton } from "../access/share-button.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";
import { Modal } from "../ui/modal.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { CallsTable } from "./calls-table.tsx";
import { CallDialog } from "./call-dialog.tsx";
import { CapsSection } from "./caps-section.tsx";
import { providerLabels } from "./draft.ts";
import { ModelForm } from "./model-form.tsx";
import { useDeleteModel, useModel, useModelCalls, useModelUsage, useUpdateModel } from "./queries.ts";
import { UsageSection } from "./usage-section.tsx";

/** One model: how to use it, what it cost, who may call it, and how it is reached. */
export default function ModelPage() {
  const { id = "" } = useParams();
  const model = useModel(id);
  if (model.data) return <ModelDetail key={id} model={model.data} />;
  return (
    <ScrollPage>
      {model.isError ? <ErrorPanel error={model.error} onRetry={() => void model.refetch()} /> : <SkeletonRows rows={4} />}
    </ScrollPage>
  );
}

function ModelDetail({ model }: { readonly model: Model }) {
  const [search] = useSearchParams();
  const isEditor = model.config !== null;
  const tab = search.get("tab") ?? "overview";
  const here = `/models/${model.id}`;
  const [deleting, setDeleting] = useState(false);
  const usage = useModelUsage(model.id, isEditor);
  return (
    <ScrollPage>
      <PageHeader
        title={model.name}
        actions={
          <>
            <ShareButton thing={{ resourceType: "asset", resourceId: model.id }} />
            {model.level === "admin" ? (
              <Button size="xs" variant="outline" onClick={() => setDeleting(true)}>
                Delete
              </Button>
            ) : null}
          </>
        }
      >
        <Copyable text={model.slug} label="name" />
      </PageHeader>
      <Box mb="5">
        <TabLinks
          label="Model"
          tabs={[
            { to: here, label: "Overview", current: tab === "overview" },
            ...(isEditor ? [{ to: `${here}?tab=access`, label: "Who may spend", current: tab === "access" }] : []),
            { to: `${here}?tab=calls`, label: "Calls", current: tab === "calls" },
            ...(isEditor ? [{ to: `${here}?tab=settings`, label: "Settings", current: tab === "settings" }] : []),
          ]}
        />
      </Box>
      {tab === "overview" ? <Overview model={model} /> : null}
      {usage.isError ? <ErrorPanel error={usage.error} onRetry={() => void usage.refetch()} /> : null}
      {tab === "overview" && usage.data ? <UsageSection usage={usage.data} /> : null}
      {tab === "access" && usage.data ? <CapsSection model={model} caps={usage.data.caps} /> : null}
      {tab === "calls" ? <Calls model={model} /> : null}
      {tab === "settings" && isEditor ? <Settings model={model} /> : null}
      {deleting ? <DeleteDialog model={model} onClose={() => setDeleting(false)} /> : null}
    </ScrollPage>
  );
}

function Overview({ model }: { readonly model: Model }) {
  const { provider, modelId, owner, capabilities, prices, usable, description } = model;
  return (
    <Section heading="Model">
      <DefinitionList
        items={[
          ["Description", description === "" ? null : description],
          ["Provider", `${providerLabels[provider].label}, ${modelId}`],
          ["Owner", owner.id === "system" ? "the system: its administrators change it" : owner.name],
          ["You may", usable ? "call it" : "see it, and not call it: ask its owner"],
          ["Context window", capabilities.contextWindow === null ? "unknown" : `${formatCount(capabilities.contextWindow)} tokens`],
          ["A million tokens", `${formatDollars(prices.input)} in, ${formatDollars(prices.output)} out`],
          [
            "In a program",
            <Text key="use">
              Run it with this model, and it answers to the name{" "}
              <Box as="code" fontSize="xs">
                {model.slug}
              </Box>{" "}
              — or, as the first model of a run, to any name — in the clients of OpenAI, Anthropic and Ollama.
            </Text>,
          ],
        ]}
      />
    </Section>
  );
}

function Calls({ model }: { readonly model: Model }) {
  const calls = useModelCalls(model.id);
  const [shown, setShown] = useState<LlmCall | null>(null);
  const isKept = model.config?.store === "full";
  return (
    <Section heading={model.config === null ? "Your calls" : "Calls"} note="the newest 100">
      {calls.isPending ? <SkeletonRows rows={3} /> : null}
      {calls.isError ? <ErrorPanel error={calls.error} onRetry={() => void calls.refetch()} /> : null}
      {calls.data?.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          No calls yet.
        </Text>
      ) : null}
      {calls.data && calls.data.length > 0 ? <CallsTable calls={calls.data} by="person" onShow={isKept ? setShown : undefined} /> : null}
      {shown ? <CallDialog modelId={model.id} callId={shown.id} onClose={() => setShown(null)} /> : null}
    </Section>
  );
}

function Settings({ model }: { readonly model: Model }) {
  const update = useUpdateModel(model.id);
  return (
    <Section heading="Settings" note={update.isSuccess ? "Saved." : null}>
      <ModelForm
        model={model}
        ownerId={model.owner.id}
        saving={update.isPending}
        error={update.error}
        saveLabel="Save"
        onSave={(input) => update.mutate({ ...input, revision: model.revision })}
      />
    </Section>
  );
}

function DeleteDialog({ model, onClose }: { readonly model: Model; readonly onClose: () => void }) {
  const remove = useDeleteModel();
  const navigate = useNavigate();
  return (
    <Modal label={`Delete “${model.name}”?`} onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        <Text>What is bound to it fails from then on. It can be restored for 30 days.</Text>
        {remove.error ? <ErrorPanel error={remove.error} /> : null}
        <Flex gap="2" justify="flex-end">
          <Button size="sm" variant="outline" onClick={onClose}>
            Keep it
          </Button>
          <Button
            size="sm"
            colorPalette="red"
            loading={remove.isPending}
            onClick={() => remove.mutate(model.id, { onSuccess: () => void navigate("/models") })}
          >
            Delete model
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
