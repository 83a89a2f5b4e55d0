import { Box } from "@chakra-ui/react";
import type { LogQuery, Run } from "@syla/sdk";
import { useLocation } from "react-router";
import { useClient } from "../app/client.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { LogViewer } from "../ui/log/log-viewer.tsx";
import { isNarrowed, type LogFilter } from "../ui/log/log-search.ts";
import { isLive } from "./run-state.ts";
import { useLogFilter } from "./use-log-filter.ts";
import { useRunLog } from "./use-run-log.ts";

const phases: Readonly<Record<string, string>> = {
  queued: "Waiting in the queue for a free worker.",
  starting: "The sandbox is starting.",
  running: "Running; nothing was written yet.",
  waiting: "Waiting for an approval.",
};

/** The live log of a run. Lines can be linked to with `#L12`. */
export function RunLogView({ run }: { readonly run: Run }) {
  const { syla, hasKey } = useClient();
  const log = useRunLog(run.id);
  const { hash } = useLocation();
  const [filter, keepFilter] = useLogFilter();
  const linked = /^#L(\d{1,9})$/.exec(hash)?.[1];
  if (log.error) {
    return (
      <Box p="4">
        <ErrorPanel error={log.error} onRetry={log.retry} />
      </Box>
    );
  }
  return (
    <LogViewer
      buffer={log.buffer}
      live={isLive(run)}
      download={null}
      downloadLines={(shown, times) => {
        const query = downloadOf(shown, times);
        const name = `${run.id}-${shown.stream}.log`;
        return { href: syla.runs.logUrl(run.id, query), name, ...(hasKey && { load: () => syla.runs.log(run.id, query) }) };
      }}
      initialFilter={filter}
      onFilter={keepFilter}
      linksLines={!hasKey}
      linkedLine={linked ? Number(linked) : null}
      empty={
        run.phase === "building_environment" ? "Its packages are being installed." : (phases[run.status] ?? "The program wrote nothing.")
      }
      reconnecting={log.reconnecting && isLive(run)}
    />
  );
}

/** The bytes of the program, unless only some lines are shown, or their times. */
function downloadOf({ stream, level, node }: LogFilter, timestamps: boolean): LogQuery {
  const isText = timestamps || isNarrowed({ stream: "all", level, node });
  return { stream, level, node, ...(isText && { format: "text" as const }), ...(timestamps && { timestamps }) };
}
