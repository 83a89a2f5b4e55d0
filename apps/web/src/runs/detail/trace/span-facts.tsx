import { Flex, Text } from "@chakra-ui/react";
import type { Span } from "@syla/sdk";
import { describeLlm, describeSaved } from "../../../builder/node-use.ts";
import { formatCount, formatDuration, formatPlural } from "../../../ui/format.ts";
import { formatDollars } from "../../../ui/format-dollars.ts";

/** What is known of the chosen span. */
export function SpanFacts({ span }: { readonly span: Span }) {
  return (
    <Flex
      as="dl"
      columnGap="5"
      rowGap="1"
      wrap="wrap"
      px="4"
      py="2"
      borderTopWidth="1px"
      borderColor="border.muted"
      fontSize="xs"
      role="status"
    >
      {factsOf(span).map(([label, value]) => (
        <Flex key={label} gap="1.5" minW="0">
          <Text as="dt" color="fg.muted">
            {label}
          </Text>
          <Text as="dd" fontWeight="medium" overflowWrap="anywhere" minW="0">
            {value}
          </Text>
        </Flex>
      ))}
    </Flex>
  );
}

function factsOf({ name, status, startMs, durationMs, note, llm, node }: Span): [string, string][] {
  const facts: [string, string][] = [
    [name, status],
    ["begins after", formatDuration(startMs)],
    ["lasts", durationMs === null ? "it goes on" : formatDuration(durationMs)],
  ];
  if (llm !== null) {
    const { inputTokens, outputTokens, cachedTokens, isEstimate, cost, firstByteMs, attempts } = llm;
    const count = (value: number | null) => (value === null ? "unknown" : `${isEstimate ? "about " : ""}${formatCount(value)}`);
    facts.push(["model", `${llm.model} (${llm.provider})`], ["tokens in", count(inputTokens)], ["out", count(outputTokens)]);
    if (cachedTokens !== null && cachedTokens > 0) facts.push(["cached", formatCount(cachedTokens)]);
    facts.push(["cost", formatDollars(cost)]);
    if (firstByteMs !== null) facts.push(["first byte after", formatDuration(firstByteMs)]);
    facts.push(["sent", llm.cached ? "answered from memory" : formatPlural(attempts, "time")]);
  }
  if (node !== null) {
    facts.push(["node", node.path]);
    if (node.llm !== null) facts.push(["models", describeLlm(node.llm)]);
    if (node.saved !== null) facts.push(["saved", describeSaved(node.saved)]);
  }
  if (note !== null) facts.push(["note", note]);
  return facts;
}
