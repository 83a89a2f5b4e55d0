import { Box, Button } from "@chakra-ui/react";
import { Camera, Copy, Download, Pause, Play, RotateCcw } from "lucide-react";
import { useNavigate } from "react-router";
import { syla } from "../app/api.ts";
import { saveAs } from "../ui/download-button.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { useWorkspaceChange } from "./queries.ts";
import { mayEdit, type WorkspaceTabProps } from "./workspace-tab.ts";

/** What can be done with a workspace as a whole. */
export function WorkspaceActions({ workspace }: WorkspaceTabProps) {
  const { id, name, state } = workspace;
  const change = useWorkspaceChange(id);
  const navigate = useNavigate();
  const clone = () => change.mutate((workspaces) => workspaces.clone(id), { onSuccess: (made) => void navigate(`/workspaces/${made.id}`) });
  const download = () => void syla.workspaces.export(id).then(async (answer) => saveAs(await answer.blob(), `${name}.zip`));
  const snapshot = () =>
    change.mutate(async (workspaces) => {
      await workspaces.versions.create(id);
      return await workspaces.get(id);
    });
  const isIdle = state === "suspended" || state === "archived";
  return (
    <>
      {state === "deleted" ? (
        <Button size="xs" variant="outline" onClick={() => change.mutate((workspaces) => workspaces.restore(id))}>
          <RotateCcw aria-hidden /> Restore
        </Button>
      ) : null}
      {mayEdit(workspace) && !isIdle ? (
        <>
          <Button size="xs" variant="outline" disabled={change.isPending} onClick={snapshot}>
            <Camera aria-hidden /> Snapshot
          </Button>
          <Button size="xs" variant="outline" disabled={change.isPending} onClick={() => change.mutate((all) => all.suspend(id))}>
            <Pause aria-hidden /> Suspend
          </Button>
        </>
      ) : null}
      {mayEdit(workspace) && isIdle ? (
        <Button size="xs" colorPalette="accent" disabled={change.isPending} onClick={() => change.mutate((all) => all.resume(id))}>
          <Play aria-hidden /> Resume
        </Button>
      ) : null}
      <Button size="xs" variant="outline" disabled={change.isPending} onClick={clone}>
        <Copy aria-hidden /> Clone
      </Button>
      <Button size="xs" variant="outline" onClick={download}>
        <Download aria-hidden /> Export
      </Button>
      {change.isError ? (
        <Box flexBasis="100%">
          <ErrorPanel error={change.error} />
        </Box>
      ) : null}
    </>
  );
}
