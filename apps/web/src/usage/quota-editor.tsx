import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Quota, QuotaInput, QuotaName } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useQuotas, useUpdateQuotas } from "./queries.ts";
import { quotaLabels } from "./quota-list.tsx";

interface QuotaEditorProps {
  readonly userId: string;
  readonly name: string;
  readonly onClose: () => void;
}

/** Changes what one person may use. For administrators. */
export function QuotaEditor({ userId, name, onClose }: QuotaEditorProps) {
  const quotas = useQuotas(userId);
  return (
    <Modal label={`Quotas of ${name}`} onClose={onClose}>
      {quotas.isPending ? <SkeletonRows rows={5} /> : null}
      {quotas.isError ? <ErrorPanel error={quotas.error} onRetry={() => void quotas.refetch()} /> : null}
      {quotas.data ? <QuotaForm userId={userId} quotas={quotas.data.items} onSaved={onClose} /> : null}
    </Modal>
  );
}

type Texts = Readonly<Partial<Record<QuotaName, string>>>;

interface QuotaFormProps {
  readonly userId: string;
  readonly quotas: readonly Quota[];
  readonly onSaved: () => void;
}

function QuotaForm({ userId, quotas, onSaved }: QuotaFormProps) {
  const update = useUpdateQuotas(userId);
  const [texts, setTexts] = useState<Texts>(() =>
    Object.fromEntries(quotas.map((quota) => [quota.name, quota.isDefault ? "" : String(quota.limit)])),
  );
  const [tried, setTried] = useState(false);
  const problemOf = (quota: QuotaName) => (/^(|-1|\d{1,9})$/.test((texts[quota] ?? "").trim()) ? null : "a whole number, -1, or nothing");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (quotas.some((quota) => problemOf(quota.name) !== null)) return;
    update.mutate(inputOf(quotas, texts), { onSuccess: onSaved });
  };
  return (
    <Box as="form" onSubmit={submit} p="4">
      <Text color="fg.muted" mb="3">
        Nothing: the default of the role. -1: no limit.
      </Text>
      <Flex direction="column" gap="3">
        {quotas.map(({ name, limit, isDefault }) => (
          <TextField
            key={name}
            label={quotaLabels[name]}
            inputMode="numeric"
            placeholder={isDefault ? (limit < 0 ? "no limit" : String(limit)) : "default of the role"}
            value={texts[name] ?? ""}
            problem={tried ? problemOf(name) : null}
            onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
          />
        ))}
        {update.isError ? <ErrorPanel error={update.error} /> : null}
        <Button type="submit" size="sm" alignSelf="flex-end" colorPalette="accent" loading={update.isPending} loadingText="Saving">
          Save
        </Button>
      </Flex>
    </Box>
  );
}

function inputOf(quotas: readonly Quota[], texts: Texts): QuotaInput {
  return Object.fromEntries(
    quotas.map(({ name }) => {
      const text = (texts[name] ?? "").trim();
      return [name, text === "" ? null : Number(text)];
    }),
  );
}
