import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Analysis } from "@syla/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { FolderSearch, Upload } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { type PickedFile, readDropped } from "../../editor/upload-files.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatPlural } from "../../ui/format.ts";
import { PageHeader } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { AnalysisView } from "./analysis-view.tsx";
import { useAnalyse, useAnalysis } from "./queries.ts";

/** Drop a folder and see what the program is, without running it. `?run=` shows an analysis that was made before. */
export default function AnalyzePage() {
  const [search, setSearch] = useSearchParams();
  const runId = search.get("run") ?? "";
  const client = useQueryClient();
  const analyse = useAnalyse((made: Analysis) => {
    client.setQueryData(["analysis", made.runId], made);
    setSearch({ run: made.runId });
  });
  const analysis = useAnalysis(runId);
  const drop = useDrop(analyse.mutate);
  const failure = analyse.error ?? analysis.error;
  const retry = () => (analyse.error && analyse.variables ? analyse.mutate(analyse.variables) : void analysis.refetch());
  return (
    <Flex
      direction="column"
      h="100%"
      overflowY="auto"
      px={{ base: "4", md: "6" }}
      pt="5"
      outline={drop.over ? "2px dashed {colors.accent.solid}" : undefined}
      outlineOffset="-4px"
      {...drop.handlers}
    >
      <PageHeader title="Analyze" actions={<PickFolder busy={analyse.isPending} onPick={analyse.mutate} />}>
        {analysis.data ? <Summary analysis={analysis.data} /> : null}
      </PageHeader>
      {failure ? (
        <Box mb="4">
          <ErrorPanel error={failure} onRetry={retry} />
        </Box>
      ) : null}
      {analyse.isPending || (runId !== "" && analysis.isPending) ? <SkeletonRows rows={6} /> : null}
      {analysis.data && !analyse.isPending ? <AnalysisView analysis={analysis.data} /> : null}
      {runId === "" && !analyse.isPending && !failure ? (
        <EmptyState icon={FolderSearch} title="Drop a program's folder here">
          Entrypoints, dependencies, slots, calls of models and problems are read from its files. Nothing of it is run.
        </EmptyState>
      ) : null}
    </Flex>
  );
}

function Summary({ analysis }: { readonly analysis: Analysis }) {
  const { files, interpreter, runId, complete } = analysis;
  return (
    <Text color="fg.muted" fontSize="sm">
      {formatPlural(files.total, "file")}, read with Python {interpreter}
      {complete ? "" : `; there was no time for ${formatPlural(files.unread, "file")}`} ·{" "}
      <Box asChild textDecoration="underline">
        <Link to={`/runs/${runId}`}>run</Link>
      </Box>
    </Text>
  );
}

function PickFolder({ busy, onPick }: { readonly busy: boolean; readonly onPick: (picked: readonly PickedFile[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button size="xs" variant="outline" loading={busy} loadingText="Reading" onClick={() => input.current?.click()}>
        <Upload aria-hidden /> Choose a folder
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Folder"
        {...{ webkitdirectory: "" }}
        onChange={(event) => {
          const picked = Array.from(event.currentTarget.files ?? [], (file) => ({ path: file.webkitRelativePath || file.name, file }));
          if (picked.length > 0) onPick(picked);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

/** Files and folders that are dropped anywhere on the page. */
function useDrop(onDrop: (picked: readonly PickedFile[]) => void) {
  const [over, setOver] = useState(false);
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  return {
    over,
    handlers: {
      onDragOver: (event: DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: () => setOver(false),
      onDrop: (event: DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(false);
        void readDropped(event.dataTransfer).then((picked) => (picked.length > 0 ? onDrop(picked) : undefined));
      },
    },
  };
}
