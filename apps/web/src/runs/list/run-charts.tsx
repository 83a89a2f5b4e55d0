import { Box, chakra, Grid, Link as TextLink, Text } from "@chakra-ui/react";
import type { RunFigures, RunTotals } from "@syla/sdk";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useMe } from "../../accounts/queries.ts";
import { formatCount, formatDuration } from "../../ui/format.ts";
import { DayChart } from "../../usage/day-chart.tsx";
import { formatCost } from "../../usage/figures.ts";

interface RunChartsProps {
  readonly totals: RunTotals;
  /** Called with a program whose runs are to be listed. */
  readonly onProgram: (id: string) => void;
}

/** The runs of the list by day, and by what they ran, called, and whose they are. */
export function RunCharts({ totals, onProgram }: RunChartsProps) {
  const me = useMe().data?.id;
  const span = { from: totals.since.slice(0, 10), to: totals.until.slice(0, 10), days: totals.days };
  const people = totals.people.some(({ id }) => id !== me) ? totals.people : [];
  return (
    <Box role="region" aria-label="Charts" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" mb="3" flexShrink="0">
      <Grid templateColumns={{ base: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" }} gap="6" p="4">
        <DayChart
          {...span}
          title="Runs"
          format={formatCount}
          parts={[
            { label: "succeeded", value: ({ succeeded }) => succeeded, color: "accent.solid" },
            { label: "failed", value: ({ failed }) => failed, color: "fg.error" },
            { label: "cancelled", value: ({ cancelled }) => cancelled, color: "border.emphasized" },
            { label: "going on", value: (day) => day.runs - day.succeeded - day.failed - day.cancelled, color: "fg.info" },
          ]}
        />
        <DayChart {...span} title="Cost of models" value={({ cost }) => cost} format={(cost) => formatCost({ cost, unknownCosts: 0 })} />
      </Grid>
      <Grid
        templateColumns={{ base: "minmax(0, 1fr)", lg: `repeat(${people.length > 0 ? 3 : 2}, minmax(0, 1fr))` }}
        columnGap="6"
        rowGap="4"
        px="4"
        pb="4"
      >
        <Breakdown
          title="By program"
          empty="Nothing has run."
          heads={["Runs", "Failed", "95 %", "Cost"]}
          rows={totals.programs.map((row) => ({
            key: row.id,
            name:
              row.id === "" ? (
                "sent along"
              ) : (
                <TextLink asChild>
                  <button type="button" onClick={() => onProgram(row.id)}>
                    {row.name ?? `${row.id} (gone)`}
                  </button>
                </TextLink>
              ),
            cells: figureCells(row),
          }))}
        />
        <Breakdown
          title="By model"
          empty="No model was called."
          heads={["Runs", "Calls", "Tokens", "Cost"]}
          rows={totals.models.map((row) => ({
            key: row.id,
            name: (
              <TextLink asChild>
                <Link to={`/models/${row.id}`}>{row.name ?? row.id}</Link>
              </TextLink>
            ),
            cells: [formatCount(row.runs), formatCount(row.calls), formatCount(row.inputTokens + row.outputTokens), formatCost(row)],
          }))}
        />
        {people.length > 0 ? (
          <Breakdown
            title="By person"
            empty=""
            heads={["Runs", "Failed", "95 %", "Cost"]}
            rows={people.map((row) => ({ key: row.id, name: row.name ?? `${row.id} (gone)`, cells: figureCells(row) }))}
          />
        ) : null}
      </Grid>
    </Box>
  );
}

function figureCells(row: RunFigures): readonly string[] {
  return [formatCount(row.runs), formatCount(row.failed), formatDuration(row.p95Ms), formatCost(row)];
}

interface BreakdownProps {
  readonly title: string;
  /** Said where there is no row. */
  readonly empty: string;
  readonly heads: readonly string[];
  readonly rows: readonly { readonly key: string; readonly name: ReactNode; readonly cells: readonly string[] }[];
}

function Breakdown({ title, empty, heads, rows }: BreakdownProps) {
  return (
    <Box minW="0" overflowX="auto">
      {rows.length === 0 ? (
        <>
          <Text fontWeight="medium">{title}</Text>
          <Text fontSize="xs" color="fg.muted" py="1.5">
            {empty}
          </Text>
        </>
      ) : (
        <chakra.table
          w="full"
          aria-label={title}
          fontSize="xs"
          css={{
            "& th, & td": { py: "1", textAlign: "right", whiteSpace: "nowrap", fontWeight: "normal", pl: "3" },
            "& th:first-of-type, & td:first-of-type": {
              textAlign: "left",
              pl: "0",
              width: "100%",
              maxWidth: "0",
              overflow: "hidden",
              textOverflow: "ellipsis",
            },
            "& thead th:first-of-type": { fontSize: "sm", fontWeight: "medium", color: "fg" },
            "& tbody tr": { borderTopWidth: "1px", borderColor: "border.muted" },
          }}
        >
          <chakra.thead color="fg.muted">
            <tr>
              <th scope="col">{title}</th>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </chakra.thead>
          <tbody>
            {rows.map(({ key, name, cells }) => (
              <tr key={key}>
                <th scope="row">{name}</th>
                {cells.map((cell, index) => (
                  <td key={index}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </chakra.table>
      )}
    </Box>
  );
}
