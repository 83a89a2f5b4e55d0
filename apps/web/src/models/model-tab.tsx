import { Box } from "@chakra-ui/react";
import type { Asset, Model } from "@syla/sdk";
import type { ReactNode } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useModel } from "./queries.ts";

interface ModelTabProps {
  readonly asset: Asset;
  readonly children: (model: Model) => ReactNode;
}

/** What a tab shows of a model, as soon as that is known. */
export function ModelTab({ asset, children }: ModelTabProps) {
  const model = useModel(asset.id);
  return (
    <Box maxW="1120px" px={{ base: "4", md: "6" }} py="4">
      {model.data ? children(model.data) : null}
      {model.isPending ? <SkeletonRows rows={4} /> : null}
      {model.isError ? <ErrorPanel error={model.error} onRetry={() => void model.refetch()} /> : null}
    </Box>
  );
}

/** Whether somebody may change a model. */
export function mayEdit({ yourLevel }: Asset): boolean {
  return yourLevel === "edit" || yourLevel === "admin";
}
