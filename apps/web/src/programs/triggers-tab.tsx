import { Box, Button, Flex, Heading, Text } from "@chakra-ui/react";
import { triggerAuths } from "@syla/contracts/triggers";
import type { Trigger, TriggerAuth, TriggerCall } from "@syla/sdk";
import { Zap } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Link } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { curlOf } from "../triggers/curl.ts";
import { useCalls, useCreateTrigger, useDeleteTrigger, useRotateTrigger, useTriggers, useUpdateTrigger } from "../triggers/queries.ts";
import { CodeView } from "../ui/code-view.tsx";
import { Copyable, useCopy } from "../ui/copyable.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { formatBytes } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import type { AssetTabProps } from "../catalog/asset-page.tsx";

const authLabels: Readonly<Record<TriggerAuth, string>> = {
  standard: "signed (Standard Webhooks)",
  github: "signed by GitHub",
  bearer: "the secret as a token",
};

/** Addresses whose calls start runs of the program. */
export function TriggersTab({ asset }: AssetTabProps) {
  const triggers = useTriggers(asset.id);
  const mayCreate = useMe().data?.role !== "end_user";
  return (
    <Box maxW="860px" px={{ base: "4", md: "6" }} py="4">
      {mayCreate ? <NewTrigger programId={asset.id} /> : null}
      {triggers.isPending ? <SkeletonRows rows={2} /> : null}
      {triggers.isError ? <ErrorPanel error={triggers.error} onRetry={() => void triggers.refetch()} /> : null}
      {triggers.data?.length === 0 ? (
        <EmptyState icon={Zap} title="No triggers yet">
          {mayCreate
            ? "Give the program an address above, and whoever has its secret starts runs of it, as you."
            : "Triggers are made by developers; ask an administrator to be one."}
        </EmptyState>
      ) : null}
      {triggers.data?.map((trigger) => (
        <TriggerSection key={trigger.id} trigger={trigger} />
      ))}
    </Box>
  );
}

function NewTrigger({ programId }: { readonly programId: string }) {
  const create = useCreateTrigger();
  const [name, setName] = useState("");
  const [auth, setAuth] = useState<TriggerAuth>("standard");
  const [input, setInput] = useState<Trigger["input"]>("stdin");
  const [version, setVersion] = useState("");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const wish = { programId, name, auth, input, version: version.trim() === "" ? null : version.trim() };
    create.mutate(wish, { onSuccess: () => setName("") });
  };
  return (
    <Section heading="New trigger" note="Its runs are yours: your permission, your quotas.">
      <Flex as="form" onSubmit={onSubmit} gap="3" p="4" align="flex-end" wrap="wrap">
        <Box flex="1 1 160px">
          <TextField
            label="Name"
            required
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            problem={fieldProblem(create.error, "name")}
          />
        </Box>
        <Box flex="0 1 130px">
          <TextField
            label="Version"
            placeholder="working tree"
            maxLength={64}
            value={version}
            onChange={(event) => setVersion(event.currentTarget.value)}
          />
        </Box>
        <SelectField label="How callers prove themselves" value={auth} onChoose={(chosen) => setAuth(chosen as TriggerAuth)}>
          {triggerAuths.map((one) => (
            <option key={one} value={one}>
              {authLabels[one]}
            </option>
          ))}
        </SelectField>
        <SelectField label="Where a run gets the body" value={input} onChoose={(chosen) => setInput(chosen as Trigger["input"])}>
          <option value="stdin">body on standard input</option>
          <option value="file">body in input/event.json</option>
        </SelectField>
        <Button type="submit" size="sm" colorPalette="accent" loading={create.isPending}>
          Add trigger
        </Button>
        {create.error ? (
          <Box w="full">
            <ErrorPanel error={create.error} />
          </Box>
        ) : null}
      </Flex>
      {create.data ? (
        <ShownOnce text={create.data.secret}>Copy the secret of “{create.data.name}” now. It is not shown again.</ShownOnce>
      ) : null}
    </Section>
  );
}

function TriggerSection({ trigger }: { readonly trigger: Trigger }) {
  const update = useUpdateTrigger(trigger.id);
  const rotate = useRotateTrigger(trigger.id);
  const remove = useDeleteTrigger(trigger.id);
  const [copied, copy] = useCopy();
  const [shown, setShown] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const command = curlOf(trigger);
  const problem = update.error ?? rotate.error ?? remove.error;
  return (
    <Section heading={trigger.name} note={trigger.enabled ? "on" : "off"}>
      <Flex direction="column" gap="2" p="4">
        {trigger.disabledReason === null ? null : (
          <Text role="alert" color="fg.warning">
            It was switched off: {trigger.disabledReason}.
          </Text>
        )}
        <Box minW="0">
          <Copyable text={trigger.url} label="address" />
        </Box>
        <Text fontSize="xs" color="fg.muted">
          {authLabels[trigger.auth]} · {trigger.input === "stdin" ? "body on standard input" : "body in input/event.json"} ·{" "}
          {trigger.version ?? "working tree"} · {trigger.ratePerMinute} calls a minute
        </Text>
        <Flex gap="2" wrap="wrap">
          <Button size="xs" variant="outline" aria-expanded={shown} onClick={() => setShown(!shown)}>
            {shown ? "Hide curl" : "Show curl"}
          </Button>
          <Button size="xs" variant="outline" onClick={() => copy(command)}>
            {copied ? "Copied" : "Copy curl"}
          </Button>
          <Button size="xs" variant="outline" loading={update.isPending} onClick={() => update.mutate({ enabled: !trigger.enabled })}>
            {trigger.enabled ? "Switch off" : "Switch on"}
          </Button>
          <Button size="xs" variant="outline" loading={rotate.isPending} onClick={() => rotate.mutate()}>
            New secret
          </Button>
          {deleting ? (
            <Button size="xs" colorPalette="red" loading={remove.isPending} onClick={() => remove.mutate()}>
              Delete for good
            </Button>
          ) : (
            <Button size="xs" variant="outline" onClick={() => setDeleting(true)}>
              Delete
            </Button>
          )}
        </Flex>
        {shown ? (
          <Box borderWidth="1px" borderColor="border.muted" rounded="md" overflow="hidden">
            <CodeView label="A call with curl" text={command} />
          </Box>
        ) : null}
        {problem ? <ErrorPanel error={problem} /> : null}
      </Flex>
      {rotate.data ? (
        <ShownOnce text={rotate.data.secret}>Copy the new secret now. It is not shown again; the one before is good for a day.</ShownOnce>
      ) : null}
      <LastCalls id={trigger.id} />
    </Section>
  );
}

function LastCalls({ id }: { readonly id: string }) {
  const calls = useCalls(id);
  return (
    <Box borderTopWidth="1px" borderColor="border.muted" px="4" py="3">
      <Heading as="h3" fontSize="xs" fontWeight="medium" color="fg.muted" mb="1">
        Last calls
      </Heading>
      {calls.isError ? <ErrorPanel error={calls.error} /> : null}
      {calls.data?.items.length === 0 ? (
        <Text fontSize="xs" color="fg.muted">
          Nobody has called it yet.
        </Text>
      ) : null}
      <Box as="ul" listStyleType="none">
        {calls.data?.items.map((call) => (
          <CallRow key={call.id} call={call} />
        ))}
      </Box>
    </Box>
  );
}

const outcomes: Readonly<Record<TriggerCall["outcome"], string>> = {
  started: "started a run",
  duplicate: "had come before",
  refused: "was refused",
  unauthenticated: "was not proved",
};

function CallRow({ call }: { readonly call: TriggerCall }) {
  const isBad = call.outcome === "refused" || call.outcome === "unauthenticated";
  return (
    <Flex as="li" gap="3" py="1" fontSize="xs" wrap="wrap" align="baseline">
      <Text as="span" color={isBad ? "fg.error" : "fg"} minW="28">
        {outcomes[call.outcome]}
        {call.errorCode === null ? null : ` (${call.errorCode.replaceAll("_", " ")})`}
      </Text>
      {call.runId === null ? null : (
        <Text as="span" fontFamily="mono" textDecoration="underline">
          <Link to={`/runs/${call.runId}`}>{call.runId.slice(-8)}</Link>
        </Text>
      )}
      <Text as="span" color="fg.muted">
        {formatBytes(call.bytes)} from {call.ip}
      </Text>
      <Box ml="auto" color="fg.muted">
        <TimeAgo time={call.at} />
      </Box>
    </Flex>
  );
}
