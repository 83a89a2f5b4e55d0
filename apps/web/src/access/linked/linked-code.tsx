import { Text } from "@chakra-ui/react";
import { SylaError } from "@syla/sdk";
import { CodeView } from "../../ui/code-view.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useLinkedCode } from "./queries.ts";

/** A composition as Python, to read. */
export function LinkedCode({ id }: { readonly id: string }) {
  const code = useLinkedCode(id);
  if (code.isPending) return <SkeletonRows rows={4} />;
  if (code.error instanceof SylaError && code.error.code === "composition_invalid")
    return (
      <Text p="4" color="fg.muted">
        It is being drawn still: there is no code of it yet.
      </Text>
    );
  if (code.isError) return <ErrorPanel error={code.error} onRetry={() => void code.refetch()} />;
  return <CodeView text={code.data.code} label="composition.py" />;
}
