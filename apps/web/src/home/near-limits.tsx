import { Box, Flex, Text } from "@chakra-ui/react";
import { Link } from "react-router";
import { useBudgets, useQuotas } from "../usage/queries.ts";
import { QuotaList } from "../usage/quota-list.tsx";
import { formatDollars } from "../ui/format-dollars.ts";
import { Section } from "../ui/page.tsx";

/** Quotas and budgets of which little is left; nothing while there is enough of all. */
export function NearLimits() {
  const quotas = (useQuotas().data?.items ?? []).filter(({ warning }) => warning);
  const budgets = (useBudgets("me").data ?? []).filter(({ state }) => state !== "ok");
  if (quotas.length === 0 && budgets.length === 0) return null;
  return (
    <Section
      heading="Nearly used up"
      note={
        <Text as="span" textDecoration="underline">
          <Link to="/usage">usage and quotas</Link>
        </Text>
      }
    >
      {quotas.length > 0 ? <QuotaList quotas={quotas} /> : null}
      {budgets.map(({ id, owner, program, amount, spent, state, stops }) => (
        <Flex
          key={id}
          px="4"
          py="2.5"
          columnGap="4"
          wrap="wrap"
          borderTopWidth={quotas.length > 0 ? "1px" : "0"}
          borderColor="border.muted"
        >
          <Text fontWeight="medium">
            Budget of {owner.name}
            {program === null ? "" : ` for ${program.name ?? program.id}`}
          </Text>
          <Box ml="auto" color={state === "reached" ? "fg.error" : "fg.warning"}>
            {formatDollars(spent)} of {formatDollars(amount)}
            {state === "reached" && stops ? ": calls of models are refused" : ""}
          </Box>
        </Flex>
      ))}
    </Section>
  );
}
