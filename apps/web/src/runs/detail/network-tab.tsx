import { Box, chakra, Text } from "@chakra-ui/react";
import type { NetworkConnection, NetworkPolicy, NetworkUsage, Run, RunNetwork } from "@syla/sdk";
import { Network } from "lucide-react";
import { DefinitionList } from "../../ui/definition-list.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes, formatCount, formatDuration, formatExact } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { describeNetwork } from "../network.ts";
import { useRunNetwork } from "../queries.ts";
import { isLive } from "../run-state.ts";

const outcomes: Readonly<Record<NetworkConnection["outcome"], { readonly label: string; readonly color: string }>> = {
  completed: { label: "completed", color: "fg.success" },
  refused: { label: "refused", color: "fg.error" },
  failed: { label: "failed", color: "fg.warning" },
  cut: { label: "cut off", color: "fg.muted" },
};

/** What the program was allowed to reach, and what it did reach. */
export function NetworkTab({ run }: { readonly run: Run }) {
  const network = useRunNetwork(run.id, !isLive(run));
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="1120px">
      <Section heading="Policy">
        <DefinitionList
          items={[["Network", <PolicyText key="policy" policy={run.network} />], ...usageItems(run.usage?.network ?? null)]}
        />
      </Section>
      {isLive(run) ? (
        <EmptyState icon={Network} title="Connections come when the run ends">
          Everything that the program tries to reach is listed then.
        </EmptyState>
      ) : network.isError ? (
        <ErrorPanel error={network.error} onRetry={() => void network.refetch()} />
      ) : network.isPending ? (
        <SkeletonRows rows={3} />
      ) : network.data.connections.length === 0 ? (
        <EmptyState icon={Network} title="No connections">
          The program did not try to reach anything.
        </EmptyState>
      ) : (
        <ConnectionTable network={network.data} />
      )}
    </Box>
  );
}

export function PolicyText({ policy }: { readonly policy: NetworkPolicy }) {
  if (typeof policy === "string") return describeNetwork(policy);
  return policy.allow.map((host) => (
    <Text as="div" key={host} fontFamily="mono" fontSize="xs" lineHeight="20px">
      {host}
    </Text>
  ));
}

export function usageItems(usage: NetworkUsage | null): readonly (readonly [string, string])[] {
  if (usage === null) return [];
  const refused = usage.refused > 0 ? `, ${formatCount(usage.refused)} refused` : "";
  return [
    ["Connections", `${formatCount(usage.connections)}${refused}`],
    ["Bytes", `${formatBytes(usage.sentBytes)} sent, ${formatBytes(usage.receivedBytes)} received`],
  ];
}

export function ConnectionTable({ network }: { readonly network: RunNetwork }) {
  return (
    <Section
      heading="Connections"
      note={network.omitted > 0 ? `the first ${network.connections.length}; ${formatCount(network.omitted)} more left out` : null}
    >
      <Box overflowX="auto" tabIndex={0} role="region" aria-label="Connections" outlineOffset="-2px">
        <chakra.table
          w="full"
          css={{
            "& th, & td": { px: "4", py: "1.5", textAlign: "left", whiteSpace: "nowrap", verticalAlign: "top" },
            "& .number": { textAlign: "right" },
            "& tbody tr": { borderTopWidth: "1px", borderColor: "border.muted" },
          }}
        >
          <chakra.thead color="fg.muted" fontSize="xs">
            <tr>
              <th>Outcome</th>
              <th>Host</th>
              <th className="number">Time</th>
              <th className="number">Sent</th>
              <th className="number">Received</th>
              <th>Address</th>
            </tr>
          </chakra.thead>
          <tbody>
            {network.connections.map((connection, index) => (
              <ConnectionRow key={index} connection={connection} />
            ))}
          </tbody>
        </chakra.table>
      </Box>
    </Section>
  );
}

function ConnectionRow({ connection }: { readonly connection: NetworkConnection }) {
  const { host, port, outcome, reason, ms, sentBytes, receivedBytes, address, startedAt } = connection;
  const { label, color } = outcomes[outcome];
  return (
    <tr>
      <td>
        <Text as="span" color={color}>
          {label}
        </Text>
      </td>
      <td>
        <Text as="span" fontFamily="mono" fontSize="xs" title={formatExact(startedAt)}>
          {host.includes(":") ? `[${host}]` : host}:{port}
        </Text>
        {reason ? (
          <Text fontSize="xs" color="fg.muted" whiteSpace="normal" minW="200px" overflowWrap="anywhere">
            {reason}
          </Text>
        ) : null}
      </td>
      <td className="number">{formatDuration(ms)}</td>
      <td className="number">{formatBytes(sentBytes)}</td>
      <td className="number">{formatBytes(receivedBytes)}</td>
      <td>
        <Text as="span" fontFamily="mono" fontSize="xs">
          {address ?? "–"}
        </Text>
      </td>
    </tr>
  );
}
