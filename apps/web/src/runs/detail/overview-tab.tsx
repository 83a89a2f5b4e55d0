import { Box, Grid, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useModel } from "../../models/queries.ts";
import { DefinitionList } from "../../ui/definition-list.tsx";
import { formatBytes, formatCount, formatExact, formatPlural } from "../../ui/format.ts";
import { formatDollars } from "../../ui/format-dollars.ts";
import { Section } from "../../ui/page.tsx";
import { statusLooks } from "../../ui/status-badge.tsx";
import { describeExit } from "../run-state.ts";
import { PhaseList } from "./phase-list.tsx";
import { RunWalls } from "./run-walls.tsx";

/** A run on one screen: how it went, what came out, what held it, and what it was given. */
export function OverviewTab({ run }: { readonly run: Run }) {
  const here = `/runs/${run.id}`;
  return (
    <Grid
      templateColumns={{ base: "minmax(0, 1fr)", xl: "repeat(2, minmax(0, 1fr))" }}
      columnGap="6"
      px={{ base: "4", md: "6" }}
      py="4"
      maxW="1440px"
      alignItems="start"
    >
      <Box minW="0">
        <Section heading="Phases" aria-label="Phases" note={<Underlined to={`${here}?tab=trace`}>the whole trace</Underlined>}>
          <PhaseList run={run} />
        </Section>
        <Section heading="Result" aria-label="Result">
          <DefinitionList items={resultItems(run, here)} />
        </Section>
      </Box>
      <Box minW="0">
        <Section heading="Held by" aria-label="Held by" note={<Underlined to={`${here}?tab=configuration`}>all limits</Underlined>}>
          <RunWalls run={run} />
        </Section>
        <Section
          heading="Given"
          aria-label="Given"
          note={<Underlined to={`${here}?tab=configuration`}>the whole configuration</Underlined>}
        >
          <DefinitionList items={inputItems(run)} />
        </Section>
      </Box>
    </Grid>
  );
}

function Underlined({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  return (
    <Text as="span" textDecoration="underline">
      <Link to={to}>{children}</Link>
    </Text>
  );
}

type Items = Parameters<typeof DefinitionList>[0]["items"];

function resultItems(run: Run, here: string): Items {
  const { output, usage, error } = run;
  const llm = usage?.llm ?? null;
  return [
    ["State", `${statusLooks[run.status].label}${describeExit(run) === null ? "" : `, ${describeExit(run) ?? ""}`}`],
    ["Error", error === null ? null : `${error.code} (${error.class.replaceAll("_", " ")})`],
    ["Ended", run.finishedAt === null ? null : formatExact(run.finishedAt)],
    ["Attempts", run.attempt > 1 ? formatCount(run.attempt) : null],
    [
      "Output",
      <Underlined key="output" to={`${here}?tab=log`}>
        {formatBytes(output.stdoutBytes)} stdout, {formatBytes(output.stderrBytes)} stderr
      </Underlined>,
    ],
    [
      "Artifacts",
      run.artifactCount === 0 ? (
        "none"
      ) : (
        <Underlined key="artifacts" to={`${here}?tab=artifacts`}>
          {formatPlural(run.artifactCount, "file")}
        </Underlined>
      ),
    ],
    [
      "Models",
      llm === null ? null : (
        <Underlined key="models" to={`${here}?tab=models`}>
          {formatPlural(llm.calls, "call")}
          {llm.failed > 0 ? `, ${formatCount(llm.failed)} failed` : ""} · {formatCount(llm.inputTokens)} tokens in,{" "}
          {formatCount(llm.outputTokens)} out · {formatDollars(llm.cost)}
        </Underlined>
      ),
    ],
    [
      "From memory",
      run.cachedFrom === null ? null : (
        <Underlined key="cached" to={`/runs/${run.cachedFrom}`}>
          an earlier run answered
        </Underlined>
      ),
    ],
  ];
}

function inputItems(run: Run): Items {
  const { program } = run;
  const variables = Object.keys(run.env);
  return [
    ["Program", program === null ? "code that was sent along" : <ProgramFacts key="program" program={program} />],
    ["Runtime", `${run.language}${run.runtimeVersion === null ? "" : ` ${run.runtimeVersion}`}`],
    [
      "Environment",
      program?.environmentId == null ? null : (
        <Underlined key="environment" to={`/environments/${program.environmentId}`}>
          its packages
        </Underlined>
      ),
    ],
    ["Files", run.files.length === 0 ? null : formatPlural(run.files.length, "file")],
    ["Arguments", run.args.length === 0 ? "none" : <Mono key="args">{run.args.map((value) => JSON.stringify(value)).join(" ")}</Mono>],
    ["Standard input", run.stdinBytes === 0 ? "none" : formatBytes(run.stdinBytes)],
    ["Variables", variables.length === 0 ? "none" : <Mono key="env">{variables.join(" ")}</Mono>],
    [
      "Secrets",
      program === null || program.secretVariables.length === 0 ? null : <Mono key="secrets">{program.secretVariables.join(" ")}</Mono>,
    ],
    [
      "Models",
      run.models.length === 0
        ? null
        : run.models.map((id) => (
            <Box key={id}>
              <ModelLink id={id} />
            </Box>
          )),
    ],
    [
      "Datasets",
      run.datasets.length === 0
        ? null
        : run.datasets.map(({ id, name, assetName, rows }) => (
            <Box key={name}>
              <Underlined to={`/datasets/${id}`}>{assetName}</Underlined> · {formatPlural(rows, "row")}
            </Box>
          )),
    ],
  ];
}

/** By its name, for those who may see it. */
function ModelLink({ id }: { readonly id: string }) {
  const model = useModel(id);
  return <Underlined to={`/models/${id}`}>{model.data?.name ?? id}</Underlined>;
}

function ProgramFacts({ program: { id, name, version } }: { readonly program: NonNullable<Run["program"]> }) {
  return (
    <>
      <Underlined to={`/programs/${id}`}>{name}</Underlined>
      {version === null ? ", as it was then" : `, version ${version}`}
    </>
  );
}

function Mono({ children }: { readonly children: string }) {
  return (
    <Text as="span" fontFamily="mono" fontSize="xs">
      {children}
    </Text>
  );
}
