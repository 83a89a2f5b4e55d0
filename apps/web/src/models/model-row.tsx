import { Box, Flex, Text } from "@chakra-ui/react";
import type { Model } from "@syla/sdk";
import { BrainCircuit } from "lucide-react";
import { Link } from "react-router";
import { formatDollars } from "../ui/format-dollars.ts";
import { providerLabels } from "./draft.ts";

/** A model in a list. */
export function ModelRow({ model }: { readonly model: Model }) {
  const { id, name, slug, owner, provider, modelId, prices, usable, visibility } = model;
  return (
    <Flex
      align="center"
      gap="3"
      px="4"
      py="2.5"
      wrap="wrap"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
    >
      <Flex aria-hidden color="#EC4899">
        <BrainCircuit size={16} />
      </Flex>
      <Box minW="0" flex="1 1 200px">
        <Text fontWeight="medium" overflowWrap="anywhere" _hover={{ textDecoration: "underline" }}>
          <Link to={`/models/${id}`}>{name}</Link>
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {providerLabels[provider].label} · {modelId} · <Box as="code">{slug}</Box>
        </Text>
      </Box>
      <Text fontSize="xs" color="fg.muted" fontVariantNumeric="tabular-nums">
        {owner.name}
        {visibility === "public" ? " · public" : ""}
        {usable ? "" : " · no leave to call it"} · {formatDollars(prices.input)} in, {formatDollars(prices.output)} out
      </Text>
    </Flex>
  );
}
