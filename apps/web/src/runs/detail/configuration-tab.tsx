import { Box, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { Link } from "react-router";
import { DefinitionList } from "../../ui/definition-list.tsx";
import { formatBytes, formatDuration, formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { describeNetwork } from "../network.ts";
import { RunFiles } from "./run-files.tsx";
import { RunLimits } from "./run-limits.tsx";
import { RunStdin } from "./run-stdin.tsx";

/** What was run and under which limits. */
export function ConfigurationTab({ run }: { readonly run: Run }) {
  return (
    <Box px={{ base: "4", md: "6" }} py="4" maxW="960px">
      <RunFiles run={run} />
      <Section heading="Invocation">
        <DefinitionList
          items={[
            ["Language", `${run.language}${run.runtimeVersion ? ` ${run.runtimeVersion}` : ""}`],
            ["Program", run.program ? <ProgramFacts key="program" program={run.program} /> : null],
            [
              "Datasets",
              run.datasets.length > 0 ? run.datasets.map((dataset) => <DatasetFacts key={dataset.name} dataset={dataset} />) : null,
            ],
            ["Entrypoint", <Mono key="entry">{run.entrypoint}</Mono>],
            [
              "Arguments",
              run.args.length > 0 ? run.args.map((value, index) => <Mono key={index}>{value === "" ? "(empty)" : value}</Mono>) : "none",
            ],
            ["Environment", environment(run)],
            ["Priority", String(run.priority)],
            ["Idempotency key", run.idempotencyKey ? <Mono key="key">{run.idempotencyKey}</Mono> : null],
          ]}
        />
      </Section>
      <RunStdin run={run} />
      <Section heading="Sandbox">
        <DefinitionList
          items={[
            ["Isolation tier", run.tier],
            ["Network", describeNetwork(run.network)],
            ["CPU time", run.usage ? formatDuration(run.usage.cpuMs) : null],
            ["Peak memory", run.usage?.peakMemoryBytes ? formatBytes(run.usage.peakMemoryBytes) : null],
            ["Output", outputSize(run)],
          ]}
        />
      </Section>
      <RunLimits run={run} />
    </Box>
  );
}

function ProgramFacts({ program: { id, name, version, environmentId } }: { readonly program: NonNullable<Run["program"]> }) {
  return (
    <Text>
      <Text as="span" textDecoration="underline">
        <Link to={`/programs/${id}`}>{name}</Link>
      </Text>
      {version === null ? ", as it was then" : `, version ${version}`}
      {environmentId === null ? null : (
        <>
          {" · "}
          <Text as="span" textDecoration="underline">
            <Link to={`/environments/${environmentId}`}>its packages</Link>
          </Text>
        </>
      )}
    </Text>
  );
}

function DatasetFacts({ dataset: { id, assetName, version, split, path, rows } }: { readonly dataset: Run["datasets"][number] }) {
  return (
    <Text>
      <Text as="span" textDecoration="underline">
        <Link to={`/datasets/${id}`}>{assetName}</Link>
      </Text>
      {version === null ? ", as it was then" : `, version ${version}`}
      {split === null ? "" : `, split ${split}`}
      {` · ${formatPlural(rows, "row")} at `}
      <Text as="span" fontFamily="mono" fontSize="xs">
        {path}
      </Text>
    </Text>
  );
}

function Mono({ children }: { readonly children: string }) {
  return (
    <Text as="div" fontFamily="mono" fontSize="xs" lineHeight="20px" whiteSpace="pre-wrap">
      {children}
    </Text>
  );
}

function environment(run: Run) {
  const entries = Object.entries(run.env);
  return entries.length > 0 ? entries.map(([name, value]) => <Mono key={name}>{`${name}=${value}`}</Mono>) : "nothing added";
}

function outputSize({ output }: Run): string {
  const sizes = `${formatBytes(output.stdoutBytes)} stdout, ${formatBytes(output.stderrBytes)} stderr`;
  return output.droppedBytes > 0 ? `${sizes}; ${formatBytes(output.droppedBytes)} left out in the middle` : sizes;
}
