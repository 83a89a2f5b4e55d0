import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Session } from "@syla/sdk";
import { Monitor } from "lucide-react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useRevokeSession, useSessions } from "./queries.ts";

/** `Mozilla/5.0 (X11; Linux …) … Chrome/1.2 …` in words. */
function describeAgent(agent: string | null): string {
  if (!agent) return "Unknown browser";
  const browser = [/Edg\/(\d+)/, /Firefox\/(\d+)/, /Chrome\/(\d+)/, /Version\/(\d+).*Safari/].findIndex((pattern) => pattern.test(agent));
  const system = /Windows|Mac OS X|Android|iPhone|iPad|Linux/.exec(agent)?.[0]?.replace("Mac OS X", "macOS");
  return `${["Edge", "Firefox", "Chrome", "Safari"][browser] ?? agent.slice(0, 60)}${system ? ` on ${system}` : ""}`;
}

/** Where you are signed in. */
export function SessionsTab() {
  const sessions = useSessions();
  const revoke = useRevokeSession();
  return (
    <Section heading="Sessions" note="Where you are signed in.">
      {sessions.isPending ? <SkeletonRows rows={2} /> : null}
      {sessions.isError ? <ErrorPanel error={sessions.error} onRetry={() => void sessions.refetch()} /> : null}
      {revoke.isError ? <ErrorPanel error={revoke.error} /> : null}
      {sessions.data?.map((session) => (
        <SessionRow
          key={session.id}
          session={session}
          pending={revoke.isPending && revoke.variables === session.id}
          onRevoke={() => revoke.mutate(session.id)}
        />
      ))}
    </Section>
  );
}

interface SessionRowProps {
  readonly session: Session;
  readonly pending: boolean;
  readonly onRevoke: () => void;
}

function SessionRow({ session, pending, onRevoke }: SessionRowProps) {
  return (
    <Flex align="center" gap="3" px="4" py="2.5" borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
      <Box color="fg.muted" aria-hidden>
        <Monitor size={16} />
      </Box>
      <Box minW="0">
        <Text truncate title={session.userAgent ?? ""}>
          {describeAgent(session.userAgent)}
        </Text>
        <Text as="div" fontSize="xs" color="fg.muted">
          {session.ip ?? "no address"} · since <TimeAgo time={session.createdAt} />
        </Text>
      </Box>
      <Box ml="auto" flexShrink="0">
        {session.current ? (
          <Text fontSize="xs" color="fg.success">
            This session
          </Text>
        ) : (
          <Button size="xs" variant="outline" loading={pending} loadingText="Ending" onClick={onRevoke}>
            End
          </Button>
        )}
      </Box>
    </Flex>
  );
}
