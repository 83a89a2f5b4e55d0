import { Box, chakra } from "@chakra-ui/react";
import type { Span } from "@syla/sdk";
import { formatCount, formatDuration } from "../../../ui/format.ts";
import { formatDollars } from "../../../ui/format-dollars.ts";
import type { SpanRow } from "./rows.ts";

const costOf = ({ llm, node }: Span) => {
  const of = llm ?? node?.llm ?? null;
  return of === null ? "" : formatDollars(of.cost);
};
const number = (value: number | null | undefined) => (value == null ? "" : formatCount(value));

/** The same as a plain table: for screen readers, and to be copied. */
export function SpanTable({ rows }: { readonly rows: readonly SpanRow[] }) {
  return (
    <Box overflow="auto" maxH="min(64vh, 680px)" tabIndex={0} role="region" aria-label="Spans as a table" outlineOffset="-2px">
      <chakra.table
        w="full"
        fontSize="xs"
        css={{
          "& th, & td": { px: "3", py: "1", textAlign: "left", whiteSpace: "nowrap" },
          "& .number": { textAlign: "right" },
          "& tbody tr": { borderTopWidth: "1px", borderColor: "border.muted" },
        }}
      >
        <chakra.thead color="fg.muted">
          <tr>
            <th scope="col">Span</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Begins after
            </th>
            <th scope="col" className="number">
              Lasts
            </th>
            <th scope="col" className="number">
              Tokens in
            </th>
            <th scope="col" className="number">
              Tokens out
            </th>
            <th scope="col" className="number">
              Cost
            </th>
            <th scope="col" className="number">
              First byte
            </th>
            <th scope="col">Note</th>
          </tr>
        </chakra.thead>
        <tbody>
          {rows.map(({ span, level }) => (
            <tr key={span.id}>
              <th scope="row" style={{ paddingLeft: level * 12, fontWeight: "normal" }}>
                {span.name}
              </th>
              <td>{span.status}</td>
              <td className="number">{formatDuration(span.startMs)}</td>
              <td className="number">{formatDuration(span.durationMs)}</td>
              <td className="number">{number((span.llm ?? span.node?.llm)?.inputTokens)}</td>
              <td className="number">{number((span.llm ?? span.node?.llm)?.outputTokens)}</td>
              <td className="number">{costOf(span)}</td>
              <td className="number">{span.llm?.firstByteMs == null ? "" : formatDuration(span.llm.firstByteMs)}</td>
              <td>{span.note ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </chakra.table>
    </Box>
  );
}
