import { Box, Table, Text } from "@chakra-ui/react";
import { formatCount } from "../../ui/format.ts";

/** How contexts give a table: the data of `pandas`' own table documents, or records. What it holds was made by a program, and is text here. */
export const tableType = "application/vnd.dataresource+json";
const mostColumns = 100;
/** Every cell is drawn. */
const mostCells = 10_000;
const leastRows = 20;

/** A table as it can be shown. */
export interface ResultTable {
  readonly names: readonly string[];
  readonly data: readonly Readonly<Record<string, unknown>>[];
  /** How many there are in all. */
  readonly rows: number;
}

/** Null when it is none. */
export function parseTable(document: unknown): ResultTable | null {
  if (!isRecord(document) || !isRecord(document["schema"])) return null;
  const { schema, data, rows } = document;
  const { fields } = schema;
  if (!Array.isArray(fields) || !Array.isArray(data) || !data.every(isRecord)) return null;
  const names = fields.map((field: unknown) => textOf(isRecord(field) ? ownValue(field, "name") : field));
  return { names, data, rows: Math.max(typeof rows === "number" ? rows : 0, data.length) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Rows and columns, with what is left out. */
export function TableResult({ table: { names, data, rows } }: { readonly table: ResultTable }) {
  const columns = names.slice(0, mostColumns);
  const shown = data.slice(0, Math.max(leastRows, Math.floor(mostCells / Math.max(1, columns.length))));
  const note = [
    `${formatCount(rows)} ${rows === 1 ? "row" : "rows"}${shown.length < rows ? `, the first ${formatCount(shown.length)} are shown` : ""}`,
    ...(columns.length < names.length ? [`${formatCount(names.length)} columns, the first ${columns.length} are shown`] : []),
  ];
  return (
    <>
      <Box maxH="80" overflow="auto" borderWidth="1px" borderColor="border" rounded="sm" w="fit-content" maxW="100%" tabIndex={0}>
        <Table.Root size="sm" fontSize="xs" stickyHeader aria-label="Table result">
          <Table.Header>
            <Table.Row>
              {columns.map((name, index) => (
                // Two columns may have one name.
                <Table.ColumnHeader key={`${index} ${name}`} whiteSpace="nowrap">
                  {name}
                </Table.ColumnHeader>
              ))}
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {shown.map((row, place) => (
              <Table.Row key={place}>
                {columns.map((name, index) => (
                  <Cell key={`${index} ${name}`} value={ownValue(row, name)} />
                ))}
              </Table.Row>
            ))}
          </Table.Body>
        </Table.Root>
      </Box>
      <Text fontSize="xs" color="fg.subtle" mt="1">
        {note.join("; ")}
      </Text>
    </>
  );
}

function Cell({ value }: { readonly value: unknown }) {
  const text = value === null ? "" : textOf(value);
  return (
    <Table.Cell
      fontFamily="mono"
      whiteSpace="nowrap"
      maxW="80"
      truncate
      textAlign={typeof value === "number" ? "end" : undefined}
      title={text.length > 40 ? text : undefined}
    >
      {text}
    </Table.Cell>
  );
}

/** Not what every object has: a column may be called `constructor`. */
function ownValue(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
