import { Box, chakra, Table } from "@chakra-ui/react";
import type { ArtifactDiff, MetricDiff, ModelCallDiff, RunComparison } from "@syla/sdk";
import type { ReactNode } from "react";
import { formatDollars } from "../../ui/format-dollars.ts";
import { formatBytes, formatDuration } from "../../ui/format.ts";

interface TableProps {
  readonly label: string;
  readonly columns: readonly string[];
  /** From this column on they are numbers. */
  readonly numbersFrom?: number;
  readonly rows: readonly (readonly [string, ...ReactNode[]])[];
}

function Rows({ label, columns, rows, numbersFrom = columns.length }: TableProps) {
  return (
    <Box overflowX="auto" tabIndex={0} role="region" aria-label={label} outlineOffset="-2px">
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row bg="bg.subtle">
            {columns.map((column, index) => (
              <Table.ColumnHeader key={column} fontSize="xs" color="fg.muted" textAlign={index >= numbersFrom ? "right" : "left"}>
                {column}
              </Table.ColumnHeader>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {rows.map((row) => (
            <Table.Row key={row[0]} bg="bg.panel">
              {row.map((cell, index) => (
                <Table.Cell
                  key={columns[index]}
                  textAlign={index >= numbersFrom ? "right" : "left"}
                  fontVariantNumeric="tabular-nums"
                  overflowWrap="anywhere"
                >
                  {cell}
                </Table.Cell>
              ))}
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
    </Box>
  );
}

/** What was asked for otherwise, by field. */
export function ConfigTable({ config }: { readonly config: RunComparison["config"] }) {
  return (
    <Rows
      label="Configuration"
      columns={["Field", "Before", "After"]}
      rows={config.map(({ field, from, to }) => [field, <Value key="from" value={from} />, <Value key="to" value={to} />])}
    />
  );
}

function Value({ value }: { readonly value: unknown }) {
  return <chakra.code fontSize="xs">{value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value)}</chakra.code>;
}

const names: Readonly<Record<string, string>> = {
  exitCode: "Exit code",
  queueMs: "Time in the queue",
  startMs: "Time to start",
  runMs: "Run time",
  totalMs: "Time in all",
  cpuMs: "CPU time",
  peakMemoryBytes: "Peak memory",
  stdoutBytes: "stdout",
  stderrBytes: "stderr",
  artifacts: "Artifacts",
  sentBytes: "Sent",
  receivedBytes: "Received",
  llmCalls: "Calls of models",
  inputTokens: "Input tokens",
  outputTokens: "Output tokens",
  cost: "Cost",
};

function figure(metric: string, value: number | null): string {
  if (value === null) return "–";
  if (metric === "cost") return formatDollars(value);
  if (metric.endsWith("Ms")) return formatDuration(value);
  return metric.endsWith("Bytes") ? formatBytes(value) : String(value);
}

/** Figures with what one is of the other. */
export function MetricTable({ metrics }: { readonly metrics: readonly MetricDiff[] }) {
  return (
    <Rows
      label="Figures"
      columns={["Figure", "Before", "After", "Ratio"]}
      numbersFrom={1}
      rows={metrics.map(({ metric, from, to, ratio }) => [
        names[metric] ?? metric,
        figure(metric, from),
        figure(metric, to),
        ratio === null ? "–" : `${ratio.toPrecision(3)}×`,
      ])}
    />
  );
}

/** The calls of each model by both. */
export function ModelTable({ models }: { readonly models: readonly ModelCallDiff[] }) {
  const describe = ({ calls, failed }: ModelCallDiff["from"]) => `${calls}${failed > 0 ? ` (${failed} failed)` : ""}`;
  const tokens = ({ inputTokens, outputTokens }: ModelCallDiff["from"]) => `${inputTokens} / ${outputTokens}`;
  const cost = ({ cost: dollars }: ModelCallDiff["from"]) => (dollars === null ? "–" : formatDollars(dollars));
  return (
    <Rows
      label="Calls of models"
      columns={["Model", "Calls before", "after", "Tokens in / out before", "after ", "Cost before", " after"]}
      numbersFrom={1}
      rows={models.map(({ model, from, to }) => [model, describe(from), describe(to), tokens(from), tokens(to), cost(from), cost(to)])}
    />
  );
}

/** What both left, by path. */
export function ArtifactTable({ artifacts }: { readonly artifacts: readonly ArtifactDiff[] }) {
  return (
    <Rows
      label="Artifacts"
      columns={["Path", "", "Before", "After"]}
      numbersFrom={2}
      rows={artifacts.map(({ path, status, from, to }) => [
        path,
        status,
        from === null ? "–" : formatBytes(from.size),
        to === null ? "–" : formatBytes(to.size),
      ])}
    />
  );
}
