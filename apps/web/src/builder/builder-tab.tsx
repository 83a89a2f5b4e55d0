import { Box } from "@chakra-ui/react";
import type { CompositionGraph } from "@syla/contracts/compositions";
import type { Asset } from "@syla/sdk";
import { ReactFlowProvider } from "@xyflow/react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import type { AssetTabProps } from "../catalog/asset-page.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { Builder, EditableBuilder } from "./builder.tsx";
import { BuilderProvider, createBuilderStore } from "./builder-store.ts";
import { useGraph } from "./queries.ts";

/** The composition, to look at and to work on. */
export function BuilderTab({ asset }: AssetTabProps) {
  const [search] = useSearchParams();
  const version = search.get("version") ?? undefined;
  const graph = useGraph(asset.id, version);
  if (graph.data !== undefined) return <Opened key={`${asset.id} ${version ?? ""}`} asset={asset} loaded={graph.data} />;
  return (
    <Box px={{ base: "4", md: "6" }} py="4">
      {graph.isError ? <ErrorPanel error={graph.error} onRetry={() => void graph.refetch()} /> : <SkeletonRows rows={4} />}
    </Box>
  );
}

function Opened({ asset, loaded }: { readonly asset: Asset; readonly loaded: CompositionGraph }) {
  const [search] = useSearchParams();
  const mayEdit = loaded.version === null && asset.deletedAt === null && (asset.yourLevel === "edit" || asset.yourLevel === "admin");
  const [first] = useState(loaded);
  const [store] = useState(() =>
    createBuilderStore(
      first.graph,
      (search.get("in") ?? "").split("/").filter((id) => id !== ""),
      !mayEdit,
    ),
  );
  return (
    <BuilderProvider value={store}>
      <ReactFlowProvider>
        {mayEdit ? <EditableBuilder asset={asset} loaded={first} /> : <Builder asset={asset} autosave={null} />}
      </ReactFlowProvider>
    </BuilderProvider>
  );
}
