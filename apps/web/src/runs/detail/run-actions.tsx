import { Button, Flex, Text } from "@chakra-ui/react";
import { levelCovers } from "@syla/contracts/access";
import type { Run } from "@syla/sdk";
import { Columns2, Pencil, Pin, PinOff, RotateCw, Square, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { useAccess } from "../../access/queries.ts";
import { ShareButton } from "../../access/share-button.tsx";
import { isLive } from "../run-state.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { Modal } from "../../ui/modal.tsx";
import { useCancelRuns, useDeleteRun, usePinRun, useRerun } from "../queries.ts";

interface RunActionsProps {
  readonly run: Run;
  readonly onError: (error: unknown) => void;
}

/** Cancel while it is alive; run it again, as it was or edited. */
export function RunActions({ run, onError }: RunActionsProps) {
  const cancel = useCancelRuns();
  const rerun = useRerun();
  const pin = usePinRun(run.id);
  const [deleting, setDeleting] = useState(false);
  const navigate = useNavigate();
  const thing = { resourceType: "run", resourceId: run.id } as const;
  const level = useAccess(thing).data?.level ?? "view";
  return (
    <>
      <ShareButton thing={thing} />
      {isLive(run) && levelCovers(level, "edit") ? (
        <Button
          size="xs"
          variant="outline"
          loading={cancel.isPending}
          loadingText="Cancel"
          onClick={() => cancel.mutate([run.id], { onError })}
        >
          <Square aria-hidden /> Cancel
        </Button>
      ) : null}
      <Button asChild size="xs" variant="outline">
        <Link to={editLink(run)}>
          <Pencil aria-hidden /> Edit and rerun
        </Link>
      </Button>
      {run.retryOf === null ? null : (
        <Button asChild size="xs" variant="outline">
          <Link to={`/runs/${run.retryOf}/compare/${run.id}`}>
            <Columns2 aria-hidden /> Compare
          </Link>
        </Button>
      )}
      {levelCovers(level, "run") ? (
        <Button
          size="xs"
          variant="outline"
          loading={rerun.isPending}
          loadingText="Rerun"
          onClick={() => rerun.mutate(run.id, { onError, onSuccess: (next) => void navigate(`/runs/${next.id}`) })}
        >
          <RotateCw aria-hidden /> Rerun
        </Button>
      ) : null}
      {levelCovers(level, "edit") ? (
        <Button
          size="xs"
          variant="outline"
          aria-pressed={run.pinned}
          loading={pin.isPending}
          loadingText={run.pinned ? "Unpin" : "Pin"}
          onClick={() => pin.mutate(!run.pinned, { onError })}
        >
          {run.pinned ? <PinOff aria-hidden /> : <Pin aria-hidden />} {run.pinned ? "Unpin" : "Pin"}
        </Button>
      ) : null}
      {!isLive(run) && levelCovers(level, "admin") ? (
        <Button size="xs" variant="outline" onClick={() => setDeleting(true)}>
          <Trash2 aria-hidden /> Delete
        </Button>
      ) : null}
      {deleting ? <DeleteDialog run={run} onClose={() => setDeleting(false)} /> : null}
    </>
  );
}

/** The editor, at the line that failed. */
function editLink({ id, error }: Run): string {
  const place = error?.location ?? null;
  return `/runs/new?from=${id}${place === null ? "" : `&file=${encodeURIComponent(place.path)}&line=${place.line}`}`;
}

function DeleteDialog({ run, onClose }: { readonly run: Run; readonly onClose: () => void }) {
  const remove = useDeleteRun(run.id);
  const navigate = useNavigate();
  return (
    <Modal label="Delete this run?" onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        <Text>Its log, its artifacts and every link to it go with it. It cannot be brought back; what it cost stays counted.</Text>
        {remove.error ? <ErrorPanel error={remove.error} /> : null}
        <Flex justify="flex-end" gap="2">
          <Button size="sm" variant="outline" onClick={onClose}>
            Keep
          </Button>
          <Button
            size="sm"
            colorPalette="red"
            loading={remove.isPending}
            onClick={() => remove.mutate(undefined, { onSuccess: () => void navigate("/runs", { replace: true }) })}
          >
            Delete
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
