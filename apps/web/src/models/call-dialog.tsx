import { Box, chakra, Text } from "@chakra-ui/react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useModelCall } from "./queries.ts";

interface CallDialogProps {
  readonly modelId: string;
  readonly callId: string;
  readonly onClose: () => void;
}

/** Prompt and answer of a call, as text and nothing else. */
export function CallDialog({ modelId, callId, onClose }: CallDialogProps) {
  const call = useModelCall(modelId, callId);
  return (
    <Modal label="Prompt and answer" width="48rem" onClose={onClose}>
      <Box p="4">
        {call.isPending ? <SkeletonRows rows={2} /> : null}
        {call.isError ? <ErrorPanel error={call.error} onRetry={() => void call.refetch()} /> : null}
        {call.data ? (
          <>
            <Part title="Prompt" text={call.data.request} />
            <Part title="Answer" text={call.data.response} />
          </>
        ) : null}
      </Box>
    </Modal>
  );
}

function Part({ title, text }: { readonly title: string; readonly text: string | null }) {
  return (
    <Box mb="4">
      <Text fontWeight="medium" mb="1">
        {title}
      </Text>
      <chakra.pre fontFamily="mono" fontSize="xs" whiteSpace="pre-wrap" overflowWrap="anywhere">
        {text ?? "was not kept"}
      </chakra.pre>
    </Box>
  );
}
