import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import type { ModelUsage } from "@syla/sdk";
import { DayChart } from "../usage/day-chart.tsx";
import { formatCount, formatPlural } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";
import { Section } from "../ui/page.tsx";

const shownDays = 30;
const dayMs = 86_400_000;

/** What was spent on a model in the last days, and by whom. */
export function UsageSection({ usage }: { readonly usage: ModelUsage }) {
  const to = new Date().toISOString().slice(0, 10);
  const from = new Date(Date.now() - (shownDays - 1) * dayMs).toISOString().slice(0, 10);
  const { total } = usage;
  const range = { from, to, days: usage.days };
  return (
    <>
      <Section heading="Usage" note={`the last ${shownDays} days`}>
        <Grid templateColumns={{ base: "1fr", md: "1fr 1fr 1fr" }} gap="6" p="4">
          <DayChart title="Cost" {...range} value={({ cost }) => cost ?? 0} format={formatDollars} />
          <DayChart title="Calls" {...range} value={({ calls }) => calls} format={formatCount} />
          <DayChart title="Tokens" {...range} value={(day) => day.inputTokens + day.outputTokens} format={formatCount} />
        </Grid>
        <Text px="4" pb="3" fontSize="xs" color="fg.muted">
          {formatPlural(total.calls, "call")}, {formatCount(total.failed)} failed · {formatCount(total.inputTokens)} tokens in, of which{" "}
          {formatCount(total.cachedTokens)} cached, {formatCount(total.outputTokens)} out
          {total.unknownCosts > 0 ? ` · the cost of ${formatPlural(total.unknownCosts, "call")} is unknown` : ""}
          {total.estimates > 0 ? ` · ${formatPlural(total.estimates, "call")} counted by estimate` : ""}
        </Text>
      </Section>
      <Shares heading="Who spent" shares={usage.people} nobody="Nobody has called it yet." />
      {usage.programs.length > 0 ? <Shares heading="Programs" shares={usage.programs} nobody="" /> : null}
    </>
  );
}

function Shares({ heading, shares, nobody }: { readonly heading: string; readonly shares: ModelUsage["people"]; readonly nobody: string }) {
  return (
    <Section heading={heading}>
      {shares.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          {nobody}
        </Text>
      ) : null}
      {shares.map((share) => (
        <Flex
          key={share.id}
          px="4"
          py="2"
          gap="3"
          wrap="wrap"
          borderTopWidth="1px"
          borderColor="border.muted"
          _first={{ borderTopWidth: "0" }}
        >
          <Box flex="1 1 180px" overflowWrap="anywhere">
            {share.name}
          </Box>
          <Text color="fg.muted" fontVariantNumeric="tabular-nums">
            {formatPlural(share.calls, "call")} · {formatCount(share.inputTokens + share.outputTokens)} tokens · {formatDollars(share.cost)}
          </Text>
        </Flex>
      ))}
    </Section>
  );
}
