import type { Run } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { syla } from "../../app/api.ts";
import { CodeView } from "../../ui/code-view.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";

const maxShownBytes = 512 * 1024;

/** What the program could read from its standard input. Nothing is shown when there was none. */
export function RunStdin({ run }: { readonly run: Run }) {
  const shown = run.stdinBytes > 0 && run.stdinBytes <= maxShownBytes;
  const stdin = useQuery({
    queryKey: ["run", run.id, "stdin"],
    queryFn: async ({ signal }) => (await syla.runs.stdin(run.id, { signal })).text(),
    enabled: shown,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (run.stdinBytes === 0) return null;
  return (
    <Section heading="Standard input" note={formatBytes(run.stdinBytes)}>
      {stdin.isError ? <ErrorPanel error={stdin.error} onRetry={() => void stdin.refetch()} /> : null}
      {shown && stdin.data === undefined && !stdin.isError ? <SkeletonRows rows={2} /> : null}
      {stdin.data === undefined ? null : <CodeView text={stdin.data} label="Standard input" />}
    </Section>
  );
}
