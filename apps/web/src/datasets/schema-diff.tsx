import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { AssetDiff, DatasetColumn, DatasetSplits } from "@syla/sdk";
import { formatCount } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";

type Fields = AssetDiff["config"];

/** What differs between two versions of a dataset: rows, columns, splits. */
export function SchemaDiff({ fields }: { readonly fields: Fields }) {
  const ends = (name: string) => fields.find(({ field }) => field === name);
  const [rows, columns, splits] = [ends("rowCount"), ends("columns"), ends("splits")];
  const changes = columns === undefined ? [] : compareColumns(columns.from as DatasetColumn[] | null, columns.to as DatasetColumn[] | null);
  const [before, after] = [splits?.from, splits?.to].map((one) => describeSplits((one ?? null) as DatasetSplits | null));
  return (
    <Section heading="Rows and columns">
      <Box as="ul" listStyleType="none" py="2">
        {rows === undefined ? (
          <Line mark=" ">The same number of rows</Line>
        ) : (
          <Line mark="~">
            {formatCount(Number(rows.from ?? 0))} → {formatCount(Number(rows.to ?? 0))} rows
          </Line>
        )}
        {ends("contentSha256") === undefined ? <Line mark=" ">The same values</Line> : null}
        {changes.map(({ mark, name, words }) => (
          <Line key={`${mark}${name}`} mark={mark}>
            <chakra.span fontFamily="mono">{name}</chakra.span> {words}
          </Line>
        ))}
        {before === after ? null : (
          <Line mark="~">
            Splits: {before} → {after}
          </Line>
        )}
      </Box>
    </Section>
  );
}

const markWords = { "+": "added", "-": "removed", "~": "changed", " ": "" } as const;
const markColors = { "+": "fg.success", "-": "fg.error", "~": "fg.info", " ": "fg.muted" } as const;
type Mark = keyof typeof markWords;

function Line({ mark, children }: { readonly mark: Mark; readonly children: React.ReactNode }) {
  return (
    <Flex as="li" px="4" py="0.5" gap="2" fontSize="xs">
      <Text w="16" flexShrink="0" color={markColors[mark]}>
        {markWords[mark]}
      </Text>
      <Box overflowWrap="anywhere" minW="0">
        {children}
      </Box>
    </Flex>
  );
}

interface ColumnChange {
  readonly mark: Mark;
  readonly name: string;
  readonly words: string;
}

function compareColumns(from: readonly DatasetColumn[] | null, to: readonly DatasetColumn[] | null): ColumnChange[] {
  const before = new Map((from ?? []).map((column) => [column.name, column]));
  const after = new Map((to ?? []).map((column) => [column.name, column]));
  const removed = [...before.values()]
    .filter(({ name }) => !after.has(name))
    .map(({ name, type }) => ({ mark: "-" as const, name, words: type as string }));
  const others = [...after.values()].flatMap(({ name, type, empty }): ColumnChange[] => {
    const old = before.get(name);
    if (old === undefined) return [{ mark: "+" as const, name, words: type }];
    const words = [
      ...(old.type === type ? [] : [`${old.type} → ${type}`]),
      ...(old.empty === empty ? [] : [`${formatCount(old.empty)} → ${formatCount(empty)} empty`]),
    ];
    return words.length === 0 ? [] : [{ mark: "~" as const, name, words: words.join(", ") }];
  });
  return [...removed, ...others];
}

function describeSplits(splits: DatasetSplits | null): string {
  if (splits === null) return "none";
  return `${splits.shares.map(({ name, percent }) => `${name} ${percent} %`).join(", ")} (seed ${splits.seed})`;
}
