import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { Asset, ColumnStatistics } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount, formatPlural } from "../ui/format.ts";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useStatistics } from "./queries.ts";
import { TypeWord } from "./values.tsx";

/** Each column: its type, how much of it is empty, and what its values are like. */
export function ColumnsTab({ asset }: { readonly asset: Asset }) {
  const statistics = useStatistics(asset);
  if (statistics.isPending) return <SkeletonRows rows={6} />;
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="1120px">
      {statistics.isError ? <ErrorPanel error={statistics.error} onRetry={() => void statistics.refetch()} /> : null}
      <Box
        as="ul"
        listStyleType="none"
        aria-label="Columns"
        borderWidth="1px"
        borderColor="border"
        rounded="md"
        bg="bg.panel"
        overflow="hidden"
      >
        {statistics.data?.columns.map((column) => (
          <ColumnFacts key={column.name} column={column} />
        ))}
      </Box>
    </Box>
  );
}

function ColumnFacts({ column }: { readonly column: ColumnStatistics }) {
  const { name, type, empty, emptyShare, distinct, distinctBound, min, max, mean, longest } = column;
  const facts = [
    empty === 0 ? "never empty" : `${formatCount(empty)} empty (${share(emptyShare)})`,
    distinct === null ? `more than ${formatCount(distinctBound)} different` : `${formatCount(distinct)} different`,
    ...(min === null || max === null ? [] : [`${shown(min)} to ${shown(max)}`]),
    ...(mean === null ? [] : [`${shown(mean)} on average`]),
    ...(longest === null ? [] : [`at most ${formatPlural(longest, "character")}`]),
  ];
  return (
    <Flex
      as="li"
      gap="4"
      px="4"
      py="3"
      wrap="wrap"
      align="flex-start"
      borderTopWidth="1px"
      borderColor="border.muted"
      _first={{ borderTopWidth: 0 }}
      css={{ contentVisibility: "auto", containIntrinsicSize: "auto 92px" }}
    >
      <Box flex="1 1 200px" minW="0">
        <Flex align="baseline" gap="2">
          <Text fontWeight="medium" overflowWrap="anywhere">
            {name}
          </Text>
          <TypeWord type={type} />
        </Flex>
        <Text fontSize="xs" color="fg.muted">
          {facts.join(" · ")}
        </Text>
      </Box>
      <Box flex="1 1 280px" minW="0">
        <Distribution column={column} />
      </Box>
    </Flex>
  );
}

/** Numbers by how many lie where, other values by how often they come; else some of them. */
function Distribution({ column }: { readonly column: ColumnStatistics }) {
  const { histogram, top, count, examples } = column;
  if (histogram !== null && histogram.length > 1) return <Histogram parts={histogram} />;
  const most = top.slice(0, 5);
  if (most.length > 0 && (most[0]?.count ?? 0) > 1)
    return (
      <Box as="ul" listStyleType="none" aria-label="The most frequent values">
        {most.map((value) => (
          <Flex as="li" key={value.value} align="center" gap="2" fontSize="xs" lineHeight="20px">
            <Text truncate w="40%" title={value.value}>
              {value.value === "" ? "(empty)" : value.value}
            </Text>
            <Box flex="1" h="1.5" rounded="full" bg="bg.muted" overflow="hidden">
              <Box h="full" bg="accent.solid" style={{ width: `${(100 * value.count) / count}%` }} />
            </Box>
            <Text w="14" textAlign="right" color="fg.muted">
              {share(value.count / count)}
            </Text>
          </Flex>
        ))}
      </Box>
    );
  return (
    <Text fontSize="xs" color="fg.muted" lineClamp={2} overflowWrap="anywhere">
      {examples.length === 0 ? "no values" : `e.g. ${examples.join(", ")}`}
    </Text>
  );
}

function Histogram({ parts }: { readonly parts: NonNullable<ColumnStatistics["histogram"]> }) {
  const most = Math.max(...parts.map(({ count }) => count));
  const words = parts.map(({ from, to, count }) => `${shown(from)} to ${shown(to)}: ${formatCount(count)}`).join("; ");
  return (
    <Box>
      <Flex role="img" aria-label={`How many values lie where. ${words}`} align="flex-end" gap="1px" h="40px">
        {parts.map(({ from, to, count }) => (
          <chakra.span
            key={from}
            title={`${shown(from)} – ${shown(to)}: ${formatCount(count)}`}
            flex="1"
            bg="accent.solid"
            roundedTop="1px"
            style={{ height: count === 0 ? 0 : `max(2px, ${(100 * count) / most}%)` }}
          />
        ))}
      </Flex>
      <Flex justify="space-between" fontSize="2xs" color="fg.subtle" borderTopWidth="1px" borderColor="border">
        <span>{shown(parts[0]?.from ?? 0)}</span>
        <span>{shown(parts.at(-1)?.to ?? 0)}</span>
      </Flex>
    </Box>
  );
}

const short = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 5 });

function shown(value: number | string): string {
  return typeof value === "number" ? short.format(value) : value;
}

function share(part: number): string {
  const percent = 100 * part;
  return percent > 0 && percent < 0.1 ? "<0.1 %" : `${percent.toFixed(percent < 10 && percent % 1 !== 0 ? 1 : 0)} %`;
}
