import { Box, Button, Flex, Input, Text } from "@chakra-ui/react";
import { type QuotaName, quotaNames } from "@syla/contracts/quotas";
import type { Quota } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useQuotas, useUpdateQuotas } from "./queries.ts";
import { mapQuotas } from "./quota-form.tsx";
import { quotaFormats, quotaLabels } from "./quota-list.tsx";

interface QuotaEditorProps {
  readonly userId: string;
  readonly name: string;
  readonly onClose: () => void;
}

/** Changes what one person may use. For administrators. */
export function QuotaEditor({ userId, name, onClose }: QuotaEditorProps) {
  return (
    <Modal label={`Quotas of ${name}`} onClose={onClose} width="36rem">
      <PersonQuotas userId={userId} onSaved={onClose} />
    </Modal>
  );
}

/** The same without a frame around it. */
export function PersonQuotas({ userId, onSaved }: { readonly userId: string; readonly onSaved: () => void }) {
  const quotas = useQuotas(userId);
  const update = useUpdateQuotas(userId);
  if (quotas.isPending) return <SkeletonRows rows={5} />;
  if (quotas.isError) return <ErrorPanel error={quotas.error} onRetry={() => void quotas.refetch()} />;
  const { items } = quotas.data;
  // What was saved is what the fields begin with anew.
  return (
    <Fields
      key={items.map(({ limit, isDefault }) => `${limit} ${isDefault}`).join()}
      quotas={items}
      pending={update.isPending}
      error={update.error}
      onSave={(limits) => update.mutate(limits, { onSuccess: onSaved })}
    />
  );
}

/** What holds for one quota, as it is chosen. */
interface Choice {
  readonly way: "default" | "own" | "none";
  readonly amount: string;
}

interface FieldsProps {
  readonly quotas: readonly Quota[];
  readonly pending: boolean;
  readonly error: unknown;
  readonly onSave: (limits: Record<QuotaName, number | null>) => void;
}

function Fields({ quotas, pending, error, onSave }: FieldsProps) {
  const byName = new Map(quotas.map((quota) => [quota.name, quota]));
  const [choices, setChoices] = useState(() => mapQuotas(quotaNames, (name) => choiceOf(byName.get(name))));
  const [tried, setTried] = useState(false);
  const isWrong = (name: QuotaName) => choices[name].way === "own" && !/^\d{1,9}$/.test(choices[name].amount.trim());
  const hasOwn = quotaNames.some((name) => choices[name].way !== "default");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!quotaNames.some(isWrong)) onSave(mapQuotas(quotaNames, (name) => toLimit(choices[name])));
  };
  return (
    <Box as="form" onSubmit={submit}>
      {quotaNames.map((name) => {
        const quota = byName.get(name);
        if (quota === undefined) return null;
        return (
          <QuotaField
            key={name}
            quota={quota}
            choice={choices[name]}
            problem={tried && isWrong(name) ? "a whole number" : fieldProblem(error, name)}
            onChange={(choice) => setChoices({ ...choices, [name]: choice })}
          />
        );
      })}
      {error ? (
        <Box px="4" pt="3">
          <ErrorPanel error={error} />
        </Box>
      ) : null}
      <Flex gap="2" px="4" py="3" justify="flex-end" wrap="wrap">
        {hasOwn ? (
          <Button
            size="sm"
            variant="ghost"
            onClick={() => setChoices(mapQuotas(quotaNames, (name) => ({ ...choices[name], way: "default" as const })))}
          >
            Reset to the defaults
          </Button>
        ) : null}
        <Button type="submit" size="sm" colorPalette="accent" loading={pending} loadingText="Saving">
          Save quotas
        </Button>
      </Flex>
    </Box>
  );
}

interface QuotaFieldProps {
  readonly quota: Quota;
  readonly choice: Choice;
  readonly problem: string | null;
  readonly onChange: (choice: Choice) => void;
}

function QuotaField({ quota, choice, problem, onChange }: QuotaFieldProps) {
  const { name, used } = quota;
  const label = quotaLabels[name];
  const amount = (value: number) => (value < 0 ? "no limit" : quotaFormats[name](value));
  return (
    <Flex
      columnGap="2"
      rowGap="1"
      px="4"
      py="2"
      align="center"
      wrap="wrap"
      borderBottomWidth="1px"
      borderColor="border.muted"
      data-quota={name}
    >
      <Box flex="1 1 150px" minW="0">
        <Text fontWeight="medium">{label}</Text>
        <Text fontSize="xs" color="fg.muted">
          {used === null ? "counted with each key or session" : `${quotaFormats[name](used)} used`}
        </Text>
      </Box>
      {choice.way === "own" ? (
        <Input
          size="xs"
          w="28"
          inputMode="numeric"
          textAlign="right"
          aria-label={`${label}: limit`}
          aria-invalid={problem !== null}
          value={choice.amount}
          onChange={(event) => onChange({ ...choice, amount: event.currentTarget.value })}
        />
      ) : null}
      <SelectField
        label={label}
        size="xs"
        width="44"
        value={choice.way}
        onChoose={(way) => onChange({ ...choice, way: way as Choice["way"] })}
      >
        <option value="default">default: {amount(quota.default)}</option>
        <option value="own">a limit of their own</option>
        <option value="none">no limit</option>
      </SelectField>
      {problem === null ? null : (
        <Text w="full" textAlign="right" fontSize="xs" color="fg.error">
          {problem}
        </Text>
      )}
    </Flex>
  );
}

function choiceOf(quota: Quota | undefined): Choice {
  const amount = quota === undefined || quota.limit < 0 ? "" : String(quota.limit);
  if (quota === undefined || quota.isDefault) return { way: "default", amount };
  return { way: quota.limit < 0 ? "none" : "own", amount };
}

function toLimit({ way, amount }: Choice): number | null {
  if (way === "default") return null;
  return way === "none" ? -1 : Number(amount);
}
