import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import type { Quota, QuotaName } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";
import { formatCount, formatExact } from "../ui/format.ts";

const looks: Readonly<Record<QuotaName, { readonly label: string; readonly format: (value: number) => string }>> = {
  concurrentRuns: { label: "Runs at once", format: formatCount },
  runsPerDay: { label: "Runs a day", format: formatCount },
  cpuSecondsPerMonth: { label: "CPU time a month", format: (seconds) => `${formatCount(Math.round((seconds / 3600) * 100) / 100)} h` },
  storageMb: { label: "Storage", format: (megabytes) => `${formatCount(megabytes)} MB` },
  executionsPerMinute: { label: "Executions a minute", format: formatCount },
};

/** What may be used, and how much of it is. */
export function QuotaList({ quotas }: { readonly quotas: readonly Quota[] }) {
  return (
    <Box as="ul" listStyleType="none">
      {quotas.map((quota) => (
        <QuotaRow key={quota.name} quota={quota} />
      ))}
    </Box>
  );
}

function QuotaRow({ quota }: { readonly quota: Quota }) {
  const { name, limit, used, resetsAt, warning } = quota;
  const { label, format } = looks[name];
  const share = limit <= 0 || used === null ? 0 : Math.min(used / limit, 1);
  const color = share >= 1 ? "fg.error" : warning ? "fg.warning" : "accent.solid";
  return (
    <Grid
      as="li"
      templateColumns={{ base: "minmax(0, 1fr)", md: "176px minmax(0, 1fr) 224px" }}
      alignItems="center"
      columnGap="4"
      rowGap="1"
      px="4"
      py="2.5"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
      data-quota={name}
    >
      <Text fontWeight="medium">{label}</Text>
      {limit < 0 || used === null ? (
        <Text color="fg.muted">{limit < 0 ? "no limit" : "with each key or session"}</Text>
      ) : (
        <Box aria-hidden h="2" rounded="sm" bg="bg.muted" overflow="hidden">
          <Box h="full" bg={color} style={{ width: `${share * 100}%` }} />
        </Box>
      )}
      <Box textAlign={{ base: "left", md: "right" }}>
        <Flex justify={{ base: "flex-start", md: "flex-end" }} align="center" gap="1.5" color={warning ? color : undefined}>
          {warning ? <TriangleAlert size={14} aria-label={share >= 1 ? "Used up" : "Nearly used up"} /> : null}
          <Text>
            {used === null ? "" : format(used)}
            {limit < 0 ? "" : used === null ? format(limit) : ` of ${format(limit)}`}
          </Text>
        </Flex>
        {resetsAt === null || limit < 0 ? null : (
          <Text fontSize="xs" color="fg.subtle">
            counted anew {formatExact(resetsAt)}
          </Text>
        )}
      </Box>
    </Grid>
  );
}
