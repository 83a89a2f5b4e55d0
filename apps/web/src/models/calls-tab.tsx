import { Text } from "@chakra-ui/react";
import type { LlmCall, Model } from "@syla/sdk";
import { useState } from "react";
import type { AssetTabProps } from "../catalog/asset-page.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { CallDialog } from "./call-dialog.tsx";
import { CallsTable } from "./calls-table.tsx";
import { ModelTab } from "./model-tab.tsx";
import { useModelCalls } from "./queries.ts";

/** The calls of a model: everybody's for those who may change it, one's own otherwise. */
export function CallsTab({ asset }: AssetTabProps) {
  return <ModelTab asset={asset}>{(model) => <Calls model={model} />}</ModelTab>;
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
