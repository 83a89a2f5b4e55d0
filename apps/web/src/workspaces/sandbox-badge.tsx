import { Box, Flex } from "@chakra-ui/react";
import type { Workspace } from "@syla/sdk";
import { Link } from "react-router";
import { useWorkspaceSandbox } from "../notebook/use-ended-kernel.ts";
import { sandboxOutcome } from "./sandbox-outcome.ts";

/** One's sandbox in a workspace, while it lives: how it is, whether what was changed in it is saved, and the way to its terminal. */
export function SandboxBadge({ workspace }: { readonly workspace: Workspace }) {
  const sandbox = useWorkspaceSandbox(workspace.id).data?.sandbox ?? null;
  if (sandbox === null || sandbox.endedAt !== null) return null;
  const problem = sandboxOutcome(sandbox.saved);
  return (
    <Flex align="center" gap="1.5" asChild>
      <Link to={`/workspaces/${workspace.id}?tab=sandbox`}>
        <Box w="2" h="2" rounded="full" bg={problem === null ? "fg.success" : "fg.error"} aria-hidden />
        sandbox {problem === null ? sandbox.status : "not saved"}
      </Link>
    </Flex>
  );
}
