import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import type { Sandbox } from "@syla/sdk";
import { X } from "lucide-react";
import { syla } from "../../app/api.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes, formatDuration } from "../../ui/format.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { ScrollPage, Section } from "../../ui/page.tsx";
import { useSandboxActivity } from "../queries.ts";
import { NetworkSection } from "./network-section.tsx";
import { PortsSection } from "./ports-section.tsx";

/** What runs, what it uses, and where it listens. */
export function ActivityPanel({ sandbox }: { readonly sandbox: Sandbox }) {
  const { processes, ports, stats, network } = useSandboxActivity(sandbox.id, sandbox.status === "running");
  const failed = [processes, ports, stats, network].find((query) => query.isError);
  return (
    <ScrollPage>
      {failed?.error ? <ErrorPanel error={failed.error} /> : null}
      {stats.data ? (
        <Grid templateColumns={{ base: "1fr 1fr", md: "repeat(4, 1fr)" }} gap="3" mb="6">
          <Fact name="Processes" value={String(stats.data.processes)} limit={sandbox.limits?.processes.value} />
          <Fact name="Memory" value={formatBytes(stats.data.memoryBytes)} limit={formatBytes(sandbox.limits?.memoryBytes.value ?? 0)} />
          <Fact name="Disk" value={formatBytes(stats.data.diskBytes)} limit={formatBytes(stats.data.diskLimitBytes)} />
          <Fact name="CPU time" value={formatDuration(stats.data.cpuMs)} />
        </Grid>
      ) : null}
      {ports.data ? <PortsSection id={sandbox.id} ports={ports.data} /> : null}
      {network.data ? <NetworkSection network={network.data} /> : null}
      <Section heading="Processes">
        {processes.data?.length === 0 ? (
          <Text p="3" color="fg.muted">
            Nothing runs.
          </Text>
        ) : null}
        {processes.data?.map((process) => (
          <Flex
            key={process.pid}
            align="center"
            gap="3"
            px="3"
            py="1"
            fontFamily="mono"
            fontSize="xs"
            borderBottomWidth="1px"
            borderColor="border"
            _last={{ borderBottomWidth: "0" }}
          >
            <Text w="12" color="fg.muted" flexShrink="0">
              {process.pid}
            </Text>
            <Text flex="1" minW="0" truncate title={process.command.join(" ")}>
              {process.command.join(" ")}
            </Text>
            <Text color="fg.muted" hideBelow="md" whiteSpace="nowrap">
              {formatBytes(process.memoryBytes)}
            </Text>
            <IconButton
              label={`End process ${process.pid}`}
              onClick={() =>
                void syla.sandboxes
                  .open(sandbox.id)
                  .processes.signal(process.pid, "SIGKILL")
                  .finally(() => void processes.refetch())
              }
            >
              <X />
            </IconButton>
          </Flex>
        ))}
      </Section>
    </ScrollPage>
  );
}

function Fact({ name, value, limit }: { readonly name: string; readonly value: string; readonly limit?: string | number | undefined }) {
  return (
    <Box borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" p="3">
      <Text fontSize="xs" color="fg.muted">
        {name}
      </Text>
      <Text fontWeight="semibold">{value}</Text>
      {limit === undefined ? null : (
        <Text fontSize="xs" color="fg.subtle">
          of {limit}
        </Text>
      )}
    </Box>
  );
}
