import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import type { Quota, QuotaName } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";
import { formatCount, formatExact } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";

/** What each quota is called where its unit has to be said. */
export const quotaLabels: Readonly<Record<QuotaName, string>> = {
  concurrentRuns: "Runs at once",
  runsPerDay: "Runs a day",
  cpuSecondsPerMonth: "CPU time a month, seconds",
  storageMb: "Storage, MB",
  executionsPerMinute: "Executions a minute",
  llmSpendPerMonth: "Models a month, dollars",
};

/** An amount of each, in words. */
export const quotaFormats: Readonly<Record<QuotaName, (value: number) => string>> = {
  concurrentRuns: formatCount,
  runsPerDay: formatCount,
  cpuSecondsPerMonth: (seconds) => `${formatCount(Math.round((seconds / 3600) * 100) / 100)} h`,
  storageMb: (megabytes) => `${formatCount(megabytes)} MB`,
  executionsPerMinute: formatCount,
  llmSpendPerMonth: formatDollars,
};

type ShownQuota = Pick<Quota, "name" | "limit" | "used" | "resetsAt" | "warning">;

/** What may be used, and how much of it is. */
export function QuotaList({ quotas, narrow = false }: { readonly quotas: readonly ShownQuota[]; readonly narrow?: boolean }) {
  return (
    <Box as="ul" listStyleType="none">
      {quotas.map((quota) => (
        <QuotaRow key={quota.name} quota={quota} narrow={narrow} />
      ))}
    </Box>
  );
}

function QuotaRow({ quota, narrow }: { readonly quota: ShownQuota; readonly narrow: boolean }) {
  const { name, limit, used, resetsAt, warning } = quota;
  const format = quotaFormats[name];
  const share = limit <= 0 || used === null ? 0 : Math.min(used / limit, 1);
  const color = share >= 1 ? "fg.error" : warning ? "fg.warning" : "accent.solid";
  return (
    <Grid
      as="li"
      templateColumns={{ base: "minmax(0, 1fr)", ...(narrow ? {} : { md: "176px minmax(0, 1fr) 288px" }) }}
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
      <Text fontWeight="medium">{quotaLabels[name].split(",", 1)[0]}</Text>
      {limit < 0 || used === null ? (
        <Text color="fg.muted">{limit < 0 ? "no limit" : "with each key or session"}</Text>
      ) : (
        <Box aria-hidden h="2" rounded="sm" bg="bg.muted" overflow="hidden">
          <Box h="full" bg={color} style={{ width: `${share * 100}%` }} />
        </Box>
      )}
      <Box textAlign={{ base: "left", ...(narrow ? {} : { md: "right" }) }}>
        <Flex
          justify={{ base: "flex-start", ...(narrow ? {} : { md: "flex-end" }) }}
          align="center"
          gap="1.5"
          color={warning ? color : undefined}
        >
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
