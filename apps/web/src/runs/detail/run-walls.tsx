import { Box, Grid, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { formatBytes, formatDuration } from "../../ui/format.ts";
import { describeNetwork } from "../network.ts";
import { runMs } from "../run-state.ts";

const tiers: Readonly<Record<Run["tier"], string>> = {
  namespace: "namespaces of its own, inside a jail",
  gvisor: "a kernel of gVisor's, inside a jail",
  microvm: "a virtual machine of its own",
  kubernetes: "a pod of its own",
};

/** What held the program, and how near it came: only what is measured has a bar. */
export function RunWalls({ run }: { readonly run: Run }) {
  const { limits, usage, output } = run;
  const ms = runMs(run, Date.now());
  const loose = limits === null ? [] : Object.entries(limits).flatMap(([name, { enforcedBy }]) => (enforcedBy === "none" ? [name] : []));
  return (
    <Box py="1.5">
      <Line label="Isolation" value={tiers[run.tier]} />
      <Line label="Network" value={describeNetwork(run.network)} />
      {limits === null ? (
        <Line label="Limits" value={run.finishedAt === null ? "in force when it starts" : "it never started"} />
      ) : (
        <>
          <Line
            label="Time"
            value={`${formatDuration(ms)} of ${formatDuration(limits.wallMs.value)}`}
            share={shareOf(ms, limits.wallMs.value)}
          />
          <Line
            label="CPU"
            value={
              usage === null || ms === null || ms === 0
                ? `${limits.cpus.value} cores`
                : `${(usage.cpuMs / ms).toFixed(2)} of ${limits.cpus.value} cores on average`
            }
            share={usage === null || ms === null ? null : shareOf(usage.cpuMs, ms * limits.cpus.value)}
          />
          <Line
            label="Memory"
            value={
              usage?.peakMemoryBytes == null
                ? `${formatBytes(limits.memoryBytes.value)} at most`
                : `${formatBytes(usage.peakMemoryBytes)} at its peak, of ${formatBytes(limits.memoryBytes.value)}`
            }
            share={shareOf(usage?.peakMemoryBytes ?? null, limits.memoryBytes.value)}
          />
          <Line
            label="Output"
            value={`${formatBytes(output.stdoutBytes + output.stderrBytes)} of ${formatBytes(limits.outputBytes.value)}`}
            share={shareOf(output.stdoutBytes + output.stderrBytes, limits.outputBytes.value)}
          />
        </>
      )}
      {loose.length > 0 ? (
        <Text px="4" py="1" fontSize="xs" color="fg.warning" display="flex" alignItems="center" gap="1.5">
          <TriangleAlert size={14} aria-hidden /> Not enforced on this machine: {loose.join(", ")}
        </Text>
      ) : null}
    </Box>
  );
}

function shareOf(used: number | null, limit: number): number | null {
  return used === null || limit <= 0 ? null : Math.min(used / limit, 1);
}

interface LineProps {
  readonly label: string;
  readonly value: ReactNode;
  /** 0 to 1: how much of it was used. */
  readonly share?: number | null;
}

function Line({ label, value, share = null }: LineProps) {
  return (
    <Grid
      templateColumns={{ base: "96px minmax(0, 1fr)", sm: "96px minmax(0, 1fr) 120px" }}
      columnGap="4"
      alignItems="center"
      px="4"
      py="1"
    >
      <Text color="fg.muted">{label}</Text>
      <Text overflowWrap="anywhere" gridColumn={share === null ? "2 / -1" : "auto"}>
        {value}
      </Text>
      {share === null ? null : (
        <Box aria-hidden h="2" rounded="sm" bg="bg.muted" overflow="hidden" hideBelow="sm">
          <Box h="full" bg={share >= 1 ? "fg.error" : share >= 0.8 ? "fg.warning" : "accent.solid"} style={{ width: `${share * 100}%` }} />
        </Box>
      )}
    </Grid>
  );
}
