import { Box, Flex, Text } from "@chakra-ui/react";
import type { LlmCall, Run } from "@syla/sdk";
import { CircleDollarSign } from "lucide-react";
import { Link } from "react-router";
import { useRunCalls } from "../../models/queries.ts";
import { formatExact } from "../../ui/format.ts";
import { isLive } from "../run-state.ts";

/** Refusals for want of money, with who can do something about it. What was wrong and what to do is in the call's error. */
const remedies: Readonly<Record<string, (model: LlmCall["model"]) => string>> = {
  spend_cap_reached: ({ name, owner }) => `${name} belongs to ${owner}, who can raise the cap.`,
  budget_reached: () => "Whoever set the budget can raise it, or let it only warn; see Usage.",
  quota_exceeded: () => "An administrator can raise your quota.",
  price_unknown: ({ name, owner }) => `${name} belongs to ${owner}, who can enter its prices.`,
};
const isoTime = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** Says above a run that money was the matter: the program itself may have hidden it, or ended well all the same. */
export function ModelRefusal({ run }: { readonly run: Run }) {
  const hadFailures = run.usage?.llm !== undefined && run.usage.llm !== null && run.usage.llm.failed > 0;
  return hadFailures ? <Refusal run={run} /> : null;
}

function Refusal({ run }: { readonly run: Run }) {
  const calls = useRunCalls(run.id, isLive(run)).data?.items ?? [];
  const refused = calls.filter(({ status, error }) => status === "refused" && error !== null && error.code in remedies);
  const last = refused.at(-1);
  if (last?.error == null) return null;
  return (
    <Flex
      role="group"
      aria-label="Refused calls"
      gap="3"
      px="3"
      py="2.5"
      borderWidth="1px"
      borderColor="border"
      boxShadow="inset 3px 0 0 var(--chakra-colors-border-error)"
      rounded="md"
      bg="bg.panel"
    >
      <Box aria-hidden color="fg.error" mt="0.5">
        <CircleDollarSign size={16} />
      </Box>
      <Box minW="0">
        <Text fontWeight="medium" overflowWrap="anywhere">
          {refused.length === 1 ? "A call" : `${refused.length} calls`} of {last.model.name} {refused.length === 1 ? "was" : "were"}{" "}
          refused. {last.error.message.replaceAll(isoTime, formatExact)}
        </Text>
        <Text color="fg.muted">{remedies[last.error.code]?.(last.model)}</Text>
        <Text fontSize="xs" color="fg.muted" mt="1">
          <Text as="span" fontFamily="mono">
            {last.error.code}
          </Text>
          {" · "}
          <Text as="span" textDecoration="underline">
            <Link to={`/runs/${run.id}?tab=models`}>all calls</Link>
          </Text>
        </Text>
      </Box>
    </Flex>
  );
}
