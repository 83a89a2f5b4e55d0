import { Button } from "@chakra-ui/react";
import { levelCovers } from "@syla/contracts/access";
import type { Run } from "@syla/sdk";
import { Pencil, RotateCw, Square } from "lucide-react";
import { Link, useNavigate } from "react-router";
import { useAccess } from "../../access/queries.ts";
import { ShareButton } from "../../access/share-button.tsx";
import { isLive } from "../run-state.ts";
import { useCancelRuns, useRerun } from "../queries.ts";

interface RunActionsProps {
  readonly run: Run;
  readonly onError: (error: unknown) => void;
}

/** Cancel while it is alive; run it again, as it was or edited. */
export function RunActions({ run, onError }: RunActionsProps) {
  const cancel = useCancelRuns();
  const rerun = useRerun();
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
        <Link to={`/runs/new?from=${run.id}`}>
          <Pencil aria-hidden /> Edit and rerun
        </Link>
      </Button>
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
    </>
  );
}
