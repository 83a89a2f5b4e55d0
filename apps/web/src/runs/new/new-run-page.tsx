import { Box } from "@chakra-ui/react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { usePageTitle } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useRuntimes } from "../queries.ts";
import { useDraft } from "./use-draft.ts";
import { Workbench } from "./workbench.tsx";

/** Write a program, run it, and watch it, without leaving the page. */
export default function NewRunPage() {
  usePageTitle("New run");
  const [search, setSearch] = useSearchParams();
  const runtimes = useRuntimes();
  const runId = search.get("run") ?? "";
  const [line] = useState(() => Number(search.get("line")) || null);
  const { draft, setDraft, error, retry } = useDraft({
    runtimes: runtimes.data,
    from: search.get("from") ?? "",
    file: search.get("file") ?? "",
    language: search.get("language") ?? "",
    onTaken: () => setSearch(runId ? { run: runId } : {}, { replace: true }),
  });
  const failure = runtimes.error ?? error;
  if (failure) {
    return (
      <Box p="6">
        <ErrorPanel error={failure} onRetry={runtimes.error ? () => void runtimes.refetch() : retry} />
      </Box>
    );
  }
  if (!draft || !runtimes.data) return <SkeletonRows rows={8} />;
  return (
    <Workbench
      runtimes={runtimes.data}
      draft={draft}
      onDraft={setDraft}
      runId={runId}
      line={line}
      onRun={(id) => setSearch({ run: id }, { replace: true })}
    />
  );
}
