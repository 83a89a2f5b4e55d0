import { Box, Flex, Text } from "@chakra-ui/react";
import { Hourglass } from "lucide-react";
import { Link } from "react-router";
import { useApprovals } from "../builder/queries.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

/** Runs that do not go on before you, or somebody else, decide. Nothing when there are none. */
export function Approvals() {
  const approvals = useApprovals();
  const items = approvals.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Section heading="Waiting for your decision">
      <Box as="ul" listStyleType="none" aria-label="Waiting for your decision">
        {items.map(({ runId, path, composition, message, runOwner, since }) => (
          <Flex as="li" key={`${runId} ${path}`} gap="3" px="3" py="2" align="center" position="relative" _hover={{ bg: "bg.muted" }}>
            <Box aria-hidden color="fg.warning">
              <Hourglass size={16} />
            </Box>
            <Box minW="0" flex="1">
              <Text truncate fontWeight="medium" css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
                <Link to={`/runs/${runId}`}>{message}</Link>
              </Text>
              <Text truncate fontSize="xs" color="fg.muted">
                {composition.name} · {path} · {runOwner.name}
              </Text>
            </Box>
            {since === null ? null : (
              <Text fontSize="xs" color="fg.muted" whiteSpace="nowrap">
                <TimeAgo time={since} />
              </Text>
            )}
          </Flex>
        ))}
      </Box>
      {approvals.data?.nextCursor ? (
        <Box px="3" py="2" fontSize="xs" color="accent.fg">
          <Link to="/runs?status=waiting">Show all</Link>
        </Box>
      ) : null}
    </Section>
  );
}
