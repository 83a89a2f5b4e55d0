import { Box, Text } from "@chakra-ui/react";
import { type KeyQuotaName, keyQuotaNames } from "@syla/contracts/quotas";
import type { ApiKey, KeyQuota } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useKeyQuotas, useUpdateKeyQuotas } from "./queries.ts";
import { mapQuotas, QuotaForm, type QuotaFields } from "./quota-form.tsx";
import { QuotaList } from "./quota-list.tsx";

interface KeyQuotasProps {
  readonly apiKey: Pick<ApiKey, "id" | "name">;
  readonly onClose: () => void;
}

/** What one key may use, besides what holds for its person, and what it has used. */
export function KeyQuotasDialog({ apiKey, onClose }: KeyQuotasProps) {
  const quotas = useKeyQuotas(apiKey.id);
  const update = useUpdateKeyQuotas(apiKey.id);
  return (
    <Modal label={`Quotas of “${apiKey.name}”`} width="34rem" onClose={onClose}>
      {quotas.isPending ? <SkeletonRows rows={5} /> : null}
      {quotas.isError ? <ErrorPanel error={quotas.error} onRetry={() => void quotas.refetch()} /> : null}
      {quotas.data ? (
        <>
          <UsedOfKey quotas={quotas.data.items} />
          <QuotaForm
            names={keyQuotaNames}
            fields={fieldsOf(quotas.data.items)}
            note="Of this key alone; what holds for its person holds as well. Nothing: only that."
            pending={update.isPending}
            error={update.error}
            onSave={(limits) => update.mutate(limits, { onSuccess: onClose })}
          />
        </>
      ) : null}
    </Modal>
  );
}

function UsedOfKey({ quotas }: { readonly quotas: readonly KeyQuota[] }) {
  const own = quotas.flatMap((quota) => (quota.limit === null ? [] : [{ ...quota, limit: quota.limit }]));
  if (own.length === 0) {
    return (
      <Text px="4" pt="4" color="fg.muted">
        This key has no quotas of its own. What it uses is counted from when it has.
      </Text>
    );
  }
  return (
    <Box borderBottomWidth="1px" borderColor="border">
      <QuotaList quotas={own} narrow />
    </Box>
  );
}

function fieldsOf(quotas: readonly KeyQuota[]): QuotaFields<KeyQuotaName> {
  return mapQuotas(keyQuotaNames, (name) => ({
    value: quotas.find((quota) => quota.name === name)?.limit ?? null,
    placeholder: "none of its own",
  }));
}
