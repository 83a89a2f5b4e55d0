import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { CompositionGraph } from "@syla/contracts/compositions";
import type { Asset } from "@syla/sdk";
import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useSearchParams } from "react-router";
import type { AssetTabProps } from "../catalog/asset-page.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { Builder, EditableBuilder } from "./builder.tsx";
import { BuilderProvider, createBuilderStore } from "./builder-store.ts";
import type { LiveDraft } from "./live/live-draft.ts";
import { LiveDraftContext, useLiveSaving, useOpenLiveDraft } from "./live/use-live-draft.ts";
import { useGraph } from "./queries.ts";

/** The composition, to look at and to work on: the draft with everybody who has it open. */
export function BuilderTab({ asset }: AssetTabProps) {
  const [search] = useSearchParams();
  const isDraft = !search.has("version") && asset.deletedAt === null;
  return isDraft ? <Draft key={asset.id} asset={asset} /> : <Kept asset={asset} />;
}

function Draft({ asset }: { readonly asset: Asset }) {
  const [attempt, setAttempt] = useState(0);
  const opened = useOpenLiveDraft(asset.id, attempt);
  if (opened === "alone") return <Kept asset={asset} />;
  if (opened === "opening") return <Waiting />;
  return <Together key={attempt} asset={asset} draft={opened} onReload={() => setAttempt(attempt + 1)} />;
}

/** A graph as it is kept: a version, or a draft that is saved as a whole. */
function Kept({ asset }: { readonly asset: Asset }) {
  const [search] = useSearchParams();
  const version = search.get("version") ?? undefined;
  const graph = useGraph(asset.id, version);
  if (graph.data !== undefined) return <Opened key={`${asset.id} ${version ?? ""}`} asset={asset} loaded={graph.data} />;
  if (!graph.isError) return <Waiting />;
  return (
    <Box px={{ base: "4", md: "6" }} py="4">
      <ErrorPanel error={graph.error} onRetry={() => void graph.refetch()} />
    </Box>
  );
}

function Waiting() {
  return (
    <Box px={{ base: "4", md: "6" }} py="4">
      <SkeletonRows rows={4} />
    </Box>
  );
}

interface TogetherProps {
  readonly asset: Asset;
  readonly draft: LiveDraft;
  readonly onReload: () => void;
}

function Together({ asset, draft, onReload }: TogetherProps) {
  const path = usePath();
  const { mayEdit, refused } = useSyncExternalStore(draft.subscribe, draft.snapshot);
  const [store] = useState(() => createBuilderStore(draft.graph, path, !mayEdit, draft));
  const saving = useLiveSaving(asset.id, draft);
  useEffect(() => store.setReadOnly(!mayEdit), [store, mayEdit]);
  return (
    <BuilderProvider value={store}>
      <LiveDraftContext value={draft}>
        <ReactFlowProvider>
          <Flex direction="column" h="100%" minH="0">
            {refused === null ? null : (
              <Flex role="alert" align="center" gap="3" px="3" py="1.5" bg="bg.warning" wrap="wrap">
                <Text fontSize="sm">{refused} What you have drawn since is only here.</Text>
                <Button size="xs" variant="outline" onClick={onReload}>
                  Open it anew
                </Button>
              </Flex>
            )}
            <Box flex="1" minH="0">
              <Builder asset={asset} autosave={mayEdit || refused !== null ? saving : null} />
            </Box>
          </Flex>
        </ReactFlowProvider>
      </LiveDraftContext>
    </BuilderProvider>
  );
}

/** Which graph within the address names. */
function usePath(): string[] {
  const [search] = useSearchParams();
  return (search.get("in") ?? "").split("/").filter((id) => id !== "");
}

function Opened({ asset, loaded }: { readonly asset: Asset; readonly loaded: CompositionGraph }) {
  const path = usePath();
  const mayEdit = loaded.version === null && asset.deletedAt === null && (asset.yourLevel === "edit" || asset.yourLevel === "admin");
  const [first] = useState(loaded);
  const [store] = useState(() => createBuilderStore(first.graph, path, !mayEdit));
  return (
    <BuilderProvider value={store}>
      <ReactFlowProvider>
        {mayEdit ? <EditableBuilder asset={asset} loaded={first} /> : <Builder asset={asset} autosave={null} />}
      </ReactFlowProvider>
    </BuilderProvider>
  );
}
