import { Box, Button, chakra, Text } from "@chakra-ui/react";
import type { LlmCall } from "@syla/sdk";
import { Link } from "react-router";
import { formatCount, formatDuration } from "../ui/format.ts";
import { formatDollars } from "../ui/format-dollars.ts";
import { TimeAgo } from "../ui/time-ago.tsx";

const statuses: Readonly<Record<LlmCall["status"], { readonly label: string; readonly color: string }>> = {
  running: { label: "running", color: "fg.muted" },
  succeeded: { label: "succeeded", color: "fg.success" },
  failed: { label: "failed", color: "fg.error" },
  cancelled: { label: "cancelled", color: "fg.muted" },
  refused: { label: "refused", color: "fg.error" },
  lost: { label: "lost", color: "fg.warning" },
};

interface CallsTableProps {
  readonly calls: readonly LlmCall[];
  /** What differs between them: the model in a run's list, who called in a model's. */
  readonly by: "model" | "person";
  /** Shows what was said in a call; left out where nobody may read it. */
  readonly onShow?: ((call: LlmCall) => void) | undefined;
}

/** Calls of models, each with its time, tokens and cost. */
export function CallsTable({ calls, by, onShow }: CallsTableProps) {
  return (
    <Box overflowX="auto" tabIndex={0} role="region" aria-label="Model calls" outlineOffset="-2px">
      <chakra.table
        w="full"
        css={{
          "& th, & td": { px: "4", py: "1.5", textAlign: "left", whiteSpace: "nowrap", verticalAlign: "top" },
          "& .number": { textAlign: "right", fontVariantNumeric: "tabular-nums" },
          "& tbody tr": { borderTopWidth: "1px", borderColor: "border.muted" },
        }}
      >
        <chakra.thead color="fg.muted" fontSize="xs">
          <tr>
            <th>Status</th>
            <th>{by === "model" ? "Model" : "Who"}</th>
            <th>Call</th>
            <th className="number">Time</th>
            <th className="number">In</th>
            <th className="number">Out</th>
            <th className="number">Cost</th>
            <th>When</th>
          </tr>
        </chakra.thead>
        <tbody>
          {calls.map((call) => (
            <CallRow key={call.id} call={call} by={by} onShow={onShow} />
          ))}
        </tbody>
      </chakra.table>
    </Box>
  );
}

function CallRow({ call, by, onShow }: Omit<CallsTableProps, "calls"> & { readonly call: LlmCall }) {
  const { label, color } = statuses[call.status];
  const about = call.isEstimate ? "about " : "";
  return (
    <tr>
      <td>
        <Text as="span" color={color}>
          {label}
        </Text>
        {call.error ? (
          <Text fontSize="xs" color="fg.muted" whiteSpace="normal" minW="200px" maxW="360px" overflowWrap="anywhere">
            {call.error.message}
          </Text>
        ) : null}
      </td>
      <td>
        {by === "model" ? (
          <Link to={`/models/${call.model.id}`}>{call.model.name}</Link>
        ) : call.sandboxId !== null ? (
          <Text as="span" textDecoration="underline">
            <Link to={`/sandboxes/${call.sandboxId}`}>{call.user.name}</Link>
          </Text>
        ) : call.runId === null ? (
          call.user.name
        ) : (
          <Text as="span" textDecoration="underline">
            <Link to={`/runs/${call.runId}?tab=models`}>{call.user.name}</Link>
          </Text>
        )}
      </td>
      <td>
        <Text as="span" fontFamily="mono" fontSize="xs">
          {call.protocol} {call.operation}
          {call.streamed ? ", streamed" : ""}
          {call.cached ? ", from memory" : ""}
        </Text>
        {onShow === undefined ? null : (
          <Button size="2xs" variant="outline" ml="2" aria-label={`Show the call of ${call.user.name}`} onClick={() => onShow(call)}>
            Show
          </Button>
        )}
      </td>
      <td className="number">{formatDuration(call.totalMs)}</td>
      <td className="number" title={call.isEstimate ? "our own estimate" : undefined}>
        {call.inputTokens === null ? "–" : about + formatCount(call.inputTokens)}
      </td>
      <td className="number" title={call.isEstimate ? "our own estimate" : undefined}>
        {call.outputTokens === null ? "–" : about + formatCount(call.outputTokens)}
      </td>
      <td className="number">{call.status === "running" ? "–" : formatDollars(call.cost)}</td>
      <td>
        <TimeAgo time={call.startedAt} />
      </td>
    </tr>
  );
}
