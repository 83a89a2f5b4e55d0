import { Box, Grid, Text } from "@chakra-ui/react";
import type { ClaimedRun, Queue } from "@syla/sdk";
import { formatCount } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { StatusIcon } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { RunName } from "./waiting-section.tsx";

/** The runs that workers have, and since when. */
export function ClaimsSection({ queue: { claims, claimed } }: { readonly queue: Queue }) {
  return (
    <Section heading="Taken runs" note={formatCount(claimed)}>
      {claims.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          Nothing runs.
        </Text>
      ) : (
        <Box as="ul" listStyleType="none" aria-label="Taken runs">
          {claims.map((claim) => (
            <ClaimRow key={claim.runId} claim={claim} />
          ))}
        </Box>
      )}
      {claimed > claims.length ? (
        <Text px="4" py="2" fontSize="xs" color="fg.muted">
          and {formatCount(claimed - claims.length)} more
        </Text>
      ) : null}
    </Section>
  );
}

function ClaimRow({ claim }: { readonly claim: ClaimedRun }) {
  const { runId, entrypoint, language, ownerName, attempt, status, phase, workerId, claimedAt } = claim;
  return (
    <Grid
      as="li"
      templateColumns={{ base: "20px minmax(0, 1fr) auto", md: "20px minmax(0, 1fr) minmax(0, 1fr) 112px" }}
      columnGap="3"
      alignItems="center"
      px="4"
      py="2"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
    >
      <StatusIcon status={status} />
      <RunName runId={runId} entrypoint={entrypoint} facts={[language, ownerName, ...(attempt > 1 ? [`attempt ${attempt}`] : [])]} />
      <Box minW="0" gridColumn={{ base: "2 / -1", md: "auto" }} gridRow={{ base: "2", md: "auto" }} fontSize="xs" color="fg.muted">
        <Text>{(phase ?? status).replaceAll("_", " ")}</Text>
        <Text fontFamily="mono" truncate color="fg.subtle">
          {workerId ?? "no worker"}
        </Text>
      </Box>
      <Box textAlign="right" fontSize="xs" color="fg.muted">
        {claimedAt === null ? "–" : <TimeAgo time={claimedAt} />}
      </Box>
    </Grid>
  );
}
