import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import type { StorageUsage } from "@syla/sdk";
import { Database } from "lucide-react";
import type { ReactNode } from "react";
import { EmptyState } from "../ui/empty-state.tsx";
import { formatBytes, formatCount, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

const kindLabels: Readonly<Record<StorageUsage["kinds"][number]["kind"], string>> = {
  programs: "Files of programs",
  datasets: "Rows of datasets",
  analyses: "Analyses",
  runs: "Files and input of runs",
  logs: "Logs",
  artifacts: "Artifacts",
  uploads: "Uploads",
  imports: "Imports",
  environments: "Environments",
  images: "Logs of images",
  workspaces: "Workspaces",
  compilations: "Compiled programs",
  other: "Other",
  unreferenced: "What nothing refers to",
};

/** How much is stored, of what, and whose. */
export function UsageSection({ usage, action }: { readonly usage: StorageUsage | null; readonly action: ReactNode }) {
  if (usage === null)
    return (
      <Section heading="Stored content" note={action}>
        <EmptyState icon={Database} title="Not measured yet">
          Each collection counts what is stored, by kind and by owner.
        </EmptyState>
      </Section>
    );
  const kinds = usage.kinds.map(({ kind, ...share }) => ({ id: kind, label: kindLabels[kind], ...share }));
  const owners = usage.owners.map(({ ownerId, name, ...share }) => ({
    id: ownerId,
    label: name ?? (ownerId === "system" ? "Syla" : `${ownerId} (gone)`),
    ...share,
  }));
  return (
    <Section heading="Stored content" note={action}>
      <Flex px="4" pt="3" columnGap="3" align="baseline" wrap="wrap">
        <Text fontSize="xl" fontWeight="semibold">
          {formatBytes(usage.bytes)}
        </Text>
        <Text fontSize="xs" color="fg.muted">
          in {formatPlural(usage.blobs, "blob")}, measured <TimeAgo time={usage.measuredAt} />
        </Text>
      </Flex>
      <Grid templateColumns={{ base: "minmax(0, 1fr)", lg: "repeat(2, minmax(0, 1fr))" }} columnGap="8" px="4" pb="3">
        <Shares label="By kind" shares={kinds} whole={usage.bytes} />
        <Shares label="By owner" shares={owners} whole={usage.bytes} />
      </Grid>
    </Section>
  );
}

interface SharesProps {
  readonly label: string;
  readonly shares: readonly { readonly id: string; readonly label: string; readonly blobs: number; readonly bytes: number }[];
  readonly whole: number;
}

function Shares({ label, shares, whole }: SharesProps) {
  return (
    <Box pt="3" minW="0">
      <Text as="h3" fontSize="xs" color="fg.muted">
        {label}
      </Text>
      {shares.length === 0 ? <Text pt="1">Nothing</Text> : null}
      <Box as="ul" listStyleType="none" aria-label={label}>
        {shares.map((share) => (
          <Grid as="li" key={share.id} templateColumns="minmax(0, 1fr) 5rem 5rem" columnGap="3" py="1" fontVariantNumeric="tabular-nums">
            <Box minW="0">
              <Text overflowWrap="anywhere">{share.label}</Text>
              <Box aria-hidden h="1" mt="0.5" rounded="sm" bg="bg.muted">
                <Box h="1" rounded="sm" bg="accent.solid" w={`${whole === 0 ? 0 : Math.min(100, (share.bytes / whole) * 100)}%`} />
              </Box>
            </Box>
            <Text textAlign="right" color="fg.muted">
              {formatCount(share.blobs)}
            </Text>
            <Text textAlign="right">{formatBytes(share.bytes)}</Text>
          </Grid>
        ))}
      </Box>
    </Box>
  );
}
