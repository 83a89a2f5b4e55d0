import { Box, Button, Flex, Input, Text } from "@chakra-ui/react";
import type { Grant, Model, SpendCap, SpendPeriod } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { useGrants } from "../access/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatDollars } from "../ui/format-dollars.ts";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useSetCap, useUpdateModel } from "./queries.ts";

interface CapsSectionProps {
  readonly model: Model;
  readonly caps: readonly SpendCap[];
}

/** Who may spend on the model, how much, and how much they have. */
export function CapsSection({ model, caps }: CapsSectionProps) {
  const grants = useGrants({ resourceType: "asset", resourceId: model.id });
  const setCap = useSetCap(model.id);
  const update = useUpdateModel(model.id);
  const running = grants.data?.filter(({ level }) => level !== "view") ?? [];
  const capOf = (subject: string) => caps.find((cap) => cap.subject === subject);
  const isPublic = model.visibility === "public";
  const isSystem = model.owner.id === "system";
  const error = setCap.error ?? update.error ?? grants.error;
  return (
    <Section heading="Who may spend" note="Sharing it with `run` is leave to spend its owner’s credential, as far as the cap goes.">
      {isSystem ? (
        <Box px="4" py="3">
          <SelectField
            label="Who may select it"
            value={model.visibility}
            onChoose={(chosen) => update.mutate({ visibility: chosen as Model["visibility"] })}
          >
            <option value="public">everybody may select it</option>
            <option value="private">those with whom it is shared may select it</option>
          </SelectField>
        </Box>
      ) : null}
      {running.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          Shared with nobody who may call it. Use Share, with the level “run”.
        </Text>
      ) : null}
      {running.map((grant) => (
        <CapRow
          key={grant.id}
          name={nameOf(grant)}
          cap={capOf(grant.id)}
          onSet={(cap) => setCap.mutate({ subject: grant.id, cap, revision: capOf(grant.id)?.revision })}
          onRemove={() => setCap.mutate({ subject: grant.id, cap: null })}
        />
      ))}
      {isSystem && isPublic ? (
        <CapRow
          name="Everybody together"
          cap={capOf("public")}
          onSet={(cap) => setCap.mutate({ subject: "public", cap, revision: capOf("public")?.revision })}
          onRemove={() => setCap.mutate({ subject: "public", cap: null })}
        />
      ) : null}
      {isSystem ? null : (
        <CapRow
          name={isPublic ? "Everybody (it is public)" : "Everybody (it is private)"}
          cap={capOf("public")}
          setLabel={isPublic ? "Set" : "Make public"}
          onSet={(publicCap) => update.mutate({ visibility: "public", publicCap })}
          {...(isPublic && { removeLabel: "Make private", onRemove: () => update.mutate({ visibility: "private", publicCap: null }) })}
        />
      )}
      {error ? (
        <Box p="4">
          <ErrorPanel error={error} />
        </Box>
      ) : null}
    </Section>
  );
}

interface CapRowProps {
  readonly name: string;
  readonly cap: SpendCap | undefined;
  readonly setLabel?: string;
  readonly removeLabel?: string;
  readonly onSet: (cap: { amount: number; period: SpendPeriod }) => void;
  readonly onRemove?: () => void;
}

const periods: Readonly<Record<SpendPeriod, string>> = { day: "a day", month: "a month", total: "in all" };

function CapRow({ name, cap, setLabel = "Set", removeLabel = "No cap", onSet, onRemove }: CapRowProps) {
  const [amount, setAmount] = useState(cap === undefined ? "" : String(cap.amount));
  const [period, setPeriod] = useState<SpendPeriod>(cap?.period ?? "month");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onSet({ amount: Number(amount), period });
  };
  return (
    <Flex as="form" onSubmit={onSubmit} align="center" gap="2" px="4" py="2" wrap="wrap" borderTopWidth="1px" borderColor="border.muted">
      <Box flex="1 1 200px" minW="0">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {name}
        </Text>
        <Text as="div" fontSize="xs" color={cap !== undefined && cap.spent >= cap.amount ? "fg.error" : "fg.muted"}>
          {cap === undefined ? "no cap" : `${formatDollars(cap.spent)} of ${formatDollars(cap.amount)} ${periods[cap.period]} spent`}
          {cap?.resetsAt ? (
            <>
              {" · anew "}
              <TimeAgo time={cap.resetsAt} />
            </>
          ) : null}
        </Text>
      </Box>
      <Text as="span" color="fg.muted">
        $
      </Text>
      <Input
        size="xs"
        w="20"
        type="number"
        min="0"
        step="any"
        required
        aria-label={`Cap of ${name}, dollars`}
        value={amount}
        onChange={(event) => setAmount(event.currentTarget.value)}
      />
      <SelectField label={`Period of the cap of ${name}`} size="xs" value={period} onChoose={(chosen) => setPeriod(chosen as SpendPeriod)}>
        {Object.entries(periods).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </SelectField>
      <Button size="xs" type="submit" variant="outline" aria-label={`${setLabel}: ${name}`}>
        {setLabel}
      </Button>
      {cap !== undefined && onRemove !== undefined ? (
        <Button size="xs" variant="ghost" aria-label={`${removeLabel}: ${name}`} onClick={onRemove}>
          {removeLabel}
        </Button>
      ) : null}
    </Flex>
  );
}

function nameOf({ subject }: Grant): string {
  if (subject.type === "link") return `Link ${subject.name}…`;
  return subject.type === "team" ? `Team ${subject.name}` : subject.name;
}
