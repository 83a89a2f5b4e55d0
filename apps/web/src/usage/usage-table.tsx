import { Box, Table, Text } from "@chakra-ui/react";
import type { UsageGroups } from "@syla/sdk";
import { Link } from "react-router";
import { formatCount, formatDuration } from "../ui/format.ts";
import { failedOf, formatCost } from "./figures.ts";

type Group = UsageGroups["groups"][number];

const columns: readonly { readonly title: string; readonly value: (group: Group) => string }[] = [
  { title: "Runs", value: ({ runs }) => formatCount(runs) },
  { title: "Succeeded", value: ({ succeeded }) => formatCount(succeeded) },
  { title: "Failed", value: (group) => formatCount(failedOf(group)) },
  { title: "Half within", value: ({ p50Ms }) => formatDuration(p50Ms) },
  { title: "95 % within", value: ({ p95Ms }) => formatDuration(p95Ms) },
  { title: "CPU", value: ({ cpuMs }) => formatDuration(cpuMs) },
  { title: "Calls", value: ({ calls }) => formatCount(calls) },
  { title: "Tokens in", value: ({ inputTokens }) => formatCount(inputTokens) },
  { title: "Out", value: ({ outputTokens }) => formatCount(outputTokens) },
  { title: "Cost", value: (group) => formatCost(group) },
];

/** Of a model there are calls, and no runs. */
const callColumns = [
  columns[6],
  { title: "Failed", value: ({ failedCalls }: Group) => formatCount(failedCalls) },
  { title: "Half within", value: ({ callP50Ms }: Group) => formatDuration(callP50Ms) },
  { title: "95 % within", value: ({ callP95Ms }: Group) => formatDuration(callP95Ms) },
  ...columns.slice(7),
].filter((column) => column !== undefined);

const words: Readonly<Record<UsageGroups["by"], string>> = { day: "Day", user: "Person", team: "Team", program: "Program", model: "Model" };
const nobody: Readonly<Record<UsageGroups["by"], string>> = {
  day: "",
  user: "",
  team: "no team",
  program: "no program",
  model: "runs",
};
const pages: Readonly<Partial<Record<UsageGroups["by"], string>>> = { program: "/programs", model: "/models", team: "/teams" };

/** Each group in a row, with its share of the cost. */
export function UsageTable({ usage }: { readonly usage: UsageGroups }) {
  const { by, omitted } = usage;
  const groups = by === "day" ? usage.groups.toReversed() : by === "model" ? usage.groups.filter(({ calls }) => calls > 0) : usage.groups;
  const shown = by === "model" ? callColumns : columns;
  if (groups.length === 0) {
    return (
      <Text px="4" py="3" color="fg.muted">
        Nothing was used in these days.
      </Text>
    );
  }
  const most = Math.max(...groups.map(({ cost }) => cost), 0);
  return (
    // Scrolled with the arrow keys: not everything in it takes the focus.
    <Box maxH="420px" overflow="auto" role="region" aria-label={`By ${words[by].toLowerCase()}`} tabIndex={0} outlineOffset="-2px">
      <Table.Root size="sm" fontVariantNumeric="tabular-nums">
        <Table.Header>
          <Table.Row bg="bg.panel">
            <Table.ColumnHeader px="4" py="1.5" textAlign="left">
              {words[by]}
            </Table.ColumnHeader>
            {shown.map(({ title }) => (
              <Table.ColumnHeader key={title} px="3" py="1.5" textAlign="right" whiteSpace="nowrap">
                {title}
              </Table.ColumnHeader>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {groups.map((group) => (
            <Table.Row key={group.key} bg="bg.panel">
              <Table.Cell px="4" py="1.5" minW="32" maxW="64" overflowWrap="anywhere">
                <GroupName by={by} group={group} />
                {most > 0 && by !== "day" ? (
                  <Box h="1" mt="1" rounded="sm" bg="accent.solid" aria-hidden style={{ width: `${(group.cost / most) * 100}%` }} />
                ) : null}
              </Table.Cell>
              {shown.map(({ title, value }) => (
                <Table.Cell key={title} px="3" py="1.5" textAlign="right" whiteSpace="nowrap">
                  {value(group)}
                </Table.Cell>
              ))}
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
      {omitted > 0 ? (
        <Text px="4" py="2" fontSize="xs" color="fg.muted">
          {formatCount(omitted)} more are in the CSV file.
        </Text>
      ) : null}
    </Box>
  );
}

function GroupName({ by, group: { key, name } }: { readonly by: UsageGroups["by"]; readonly group: Group }) {
  if (key === "") return <Text color="fg.muted">{nobody[by]}</Text>;
  const page = pages[by];
  if (page === undefined || name === null) return <span title={key}>{name ?? key}</span>;
  return (
    <Text as="span" textDecoration="underline" textUnderlineOffset="2px">
      <Link to={`${page}/${key}`}>{name}</Link>
    </Text>
  );
}
