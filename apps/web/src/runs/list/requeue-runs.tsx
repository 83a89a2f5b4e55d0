import { Button, Text } from "@chakra-ui/react";
import { RotateCcw } from "lucide-react";
import { useMe } from "../../accounts/queries.ts";
import { formatPlural } from "../../ui/format.ts";
import { useRequeue } from "../queries.ts";

interface RequeueRunsProps {
  /** Those that are selected; none: all that were given up. */
  readonly ids: readonly string[];
  readonly onDone: () => void;
}

/** Queues runs again that the installation failed. */
export function RequeueRuns({ ids, onDone }: RequeueRunsProps) {
  const requeue = useRequeue();
  const owner = useMe().data?.role === "admin" ? "all" : "me";
  const refused = requeue.data?.refused ?? [];
  return (
    <>
      {requeue.isError ? (
        <Text fontSize="xs" color="fg.error" role="alert">
          {requeue.error.message}
        </Text>
      ) : requeue.isSuccess ? (
        <Text fontSize="xs" color={refused.length > 0 ? "fg.error" : "fg.muted"} role="status">
          {formatPlural(requeue.data.requeued.length, "run")} queued again
          {refused.length > 0 ? `; ${formatPlural(refused.length, "run")} refused: ${refused[0]?.message ?? ""}` : ""}
          {requeue.data.more ? "; there are more" : ""}
        </Text>
      ) : null}
      <Button
        size="xs"
        variant="outline"
        loading={requeue.isPending}
        loadingText="Queueing"
        onClick={() => requeue.mutate({ owner, ...(ids.length > 0 && { ids }) }, { onSettled: onDone })}
      >
        <RotateCcw aria-hidden /> {ids.length > 0 ? `Queue ${formatPlural(ids.length, "run")} again` : "Queue all again"}
      </Button>
    </>
  );
}
