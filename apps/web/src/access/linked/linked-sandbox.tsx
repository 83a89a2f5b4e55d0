import { Box, Text } from "@chakra-ui/react";
import type { LinkedSandbox as Sandbox } from "@syla/sdk";
import { SandboxStatusBadge } from "../../sandboxes/sandbox-status.tsx";
import { TimeAgo } from "../../ui/time-ago.tsx";
import { LinkedFrame } from "./linked-frame.tsx";

/** How a sandbox stands. What happens in it is for people with an account: its files and terminal are its owner's desk. */
export function LinkedSandbox({ name, sandbox }: { readonly name: string; readonly sandbox: Sandbox }) {
  return (
    <LinkedFrame
      name={name}
      facts={
        <>
          <SandboxStatusBadge sandbox={sandbox} />
          <span>{sandbox.language}</span>
          <span>
            begun <TimeAgo time={sandbox.createdAt} />
          </span>
          <span>
            {sandbox.endedAt === null ? "ends " : "ended "}
            <TimeAgo time={sandbox.endedAt ?? sandbox.expiresAt} />
          </span>
        </>
      }
    >
      <Box px={{ base: "4", md: "6" }} pb="4" maxW="720px">
        <Text color="fg.muted">
          A link shows that it is there and how it stands. To look into it, sign in: its files, processes and terminal are for people with
          an account.
        </Text>
      </Box>
    </LinkedFrame>
  );
}
