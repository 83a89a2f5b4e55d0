import type { AssetTabProps } from "../catalog/asset-page.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { CapsSection } from "./caps-section.tsx";
import { ModelTab } from "./model-tab.tsx";
import { useModelUsage } from "./queries.ts";

/** Who may spend on a model, and how much. */
export function AccessTab({ asset }: AssetTabProps) {
  const usage = useModelUsage(asset.id, true);
  return (
    <ModelTab asset={asset}>
      {(model) => (
        <>
          {usage.isError ? <ErrorPanel error={usage.error} onRetry={() => void usage.refetch()} /> : null}
          {usage.data ? <CapsSection model={model} caps={usage.data.caps} /> : null}
        </>
      )}
    </ModelTab>
  );
}
