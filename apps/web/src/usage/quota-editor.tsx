import { type QuotaName, quotaNames } from "@syla/contracts/quotas";
import type { Quota } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useQuotas, useUpdateQuotas } from "./queries.ts";
import { mapQuotas, QuotaForm, type QuotaFields } from "./quota-form.tsx";

interface QuotaEditorProps {
  readonly userId: string;
  readonly name: string;
  readonly onClose: () => void;
}

/** Changes what one person may use. For administrators. */
export function QuotaEditor({ userId, name, onClose }: QuotaEditorProps) {
  const quotas = useQuotas(userId);
  const update = useUpdateQuotas(userId);
  return (
    <Modal label={`Quotas of ${name}`} onClose={onClose}>
      {quotas.isPending ? <SkeletonRows rows={5} /> : null}
      {quotas.isError ? <ErrorPanel error={quotas.error} onRetry={() => void quotas.refetch()} /> : null}
      {quotas.data ? (
        <QuotaForm
          names={quotaNames}
          fields={fieldsOf(quotas.data.items)}
          note="Nothing: the default of the role. -1: no limit."
          unlimited
          pending={update.isPending}
          error={update.error}
          onSave={(limits) => update.mutate(limits, { onSuccess: onClose })}
        />
      ) : null}
    </Modal>
  );
}

function fieldsOf(quotas: readonly Quota[]): QuotaFields<QuotaName> {
  return mapQuotas(quotaNames, (name) => {
    const quota = quotas.find((found) => found.name === name);
    if (quota === undefined || !quota.isDefault) return { value: quota?.limit ?? null, placeholder: "default of the role" };
    return { value: null, placeholder: quota.limit < 0 ? "no limit" : String(quota.limit) };
  });
}
