import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { ProgramSandbox, Sandbox } from "@syla/sdk";
import { RotateCcw, SquareTerminal, Square } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Link, useNavigate } from "react-router";
import { describeState, SandboxStatusBadge } from "../sandboxes/sandbox-status.tsx";
import { type ChosenDataset, DatasetPicker, toBindings } from "../datasets/dataset-picker.tsx";
import { readVariables } from "../programs/run-words.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { useProgramSandbox, useStartProgramSandbox, useStopProgramSandbox } from "./queries.ts";

interface InteractiveEnvironmentProps {
  readonly programId: string;
  /** A published version; the working tree when left out. */
  readonly version: string | undefined;
}

/** One's own interactive environment of a program: how it stands, and the way into it. */
export function InteractiveEnvironment({ programId, version }: InteractiveEnvironmentProps) {
  const found = useProgramSandbox(programId, version);
  return (
    <Section heading="Interactive environment" note="a sandbox of your own with its files, packages, secrets and model, and what you add">
      <Box px="4" py="3">
        {found.isError ? <ErrorPanel error={found.error} onRetry={() => void found.refetch()} /> : null}
        {found.data ? <Standing found={found.data} version={version} /> : null}
      </Box>
    </Section>
  );
}

function Standing({ found, version }: { readonly found: ProgramSandbox; readonly version: string | undefined }) {
  const { programId, sandbox, isCurrent } = found;
  const start = useStartProgramSandbox(programId, version);
  const stop = useStopProgramSandbox(programId);
  const navigate = useNavigate();
  // Somebody waits for one; the text is the id of the one that they do not mean.
  const [other, setOther] = useState<string | null>(null);
  const [variables, setVariables] = useState("");
  const [datasets, setDatasets] = useState<readonly ChosenDataset[]>([]);
  const env = readVariables(variables);
  const lives = sandbox !== null && sandbox.endedAt === null;
  const isReady = lives && sandbox.status !== "starting";
  useEffect(() => {
    if (other !== null && isReady && sandbox.id !== other) void navigate(`/sandboxes/${sandbox.id}`);
  }, [other, isReady, sandbox?.id, navigate]);
  const open = (replaces?: string) => {
    if (env.problem !== null) return;
    setOther(replaces ?? "");
    start.mutate({ replaces, env: env.values, datasets: toBindings(datasets) });
  };
  return (
    <>
      <Flex align="center" columnGap="4" rowGap="2" wrap="wrap">
        <Box flex="1 1 240px" minW="0">
          {sandbox === null ? (
            <Text color="fg.muted">Open a terminal in it: it ends when nobody has used it for half an hour.</Text>
          ) : (
            <State sandbox={sandbox} />
          )}
        </Box>
        <Flex gap="2" wrap="wrap">
          {lives ? (
            <Button size="xs" variant="outline" loading={stop.isPending} onClick={() => stop.mutate(sandbox.id)}>
              <Square aria-hidden /> Stop
            </Button>
          ) : null}
          {lives && isReady ? (
            <Button size="xs" colorPalette="accent" asChild>
              <Link to={`/sandboxes/${sandbox.id}`}>
                <SquareTerminal aria-hidden /> Open terminal
              </Link>
            </Button>
          ) : (
            <Button size="xs" colorPalette="accent" loading={start.isPending || lives} loadingText="Starting" onClick={() => open()}>
              <SquareTerminal aria-hidden /> Open terminal
            </Button>
          )}
        </Flex>
      </Flex>
      {lives ? null : (
        <Flex direction="column" gap="3" mt="3" maxW="640px">
          <TextAreaField
            label="Variables"
            rows={2}
            value={variables}
            placeholder="NAME=value"
            help="One a line; not for secrets"
            problem={env.problem}
            onChange={(event) => setVariables(event.currentTarget.value)}
          />
          <DatasetPicker chosen={datasets} onChange={setDatasets} />
        </Flex>
      )}
      {lives && isCurrent === false ? (
        <Older>
          <Text flex="1 1 240px">{describeOlder(sandbox, version)}</Text>
          <Button size="xs" variant="outline" loading={start.isPending} onClick={() => open(sandbox.id)}>
            <RotateCcw aria-hidden /> Restart
          </Button>
        </Older>
      ) : null}
      {start.isError ? <ErrorPanel error={start.error} /> : null}
      {stop.isError ? <ErrorPanel error={stop.error} /> : null}
    </>
  );
}

function State({ sandbox }: { readonly sandbox: Sandbox }) {
  const { program, phase, error, endedAt } = sandbox;
  const withheld = program?.withheldVariables ?? [];
  const added = [...(program?.variables ?? []), ...(program?.datasets ?? []).map(({ path }) => path)];
  return (
    <Box role="status">
      <Flex align="center" columnGap="3" wrap="wrap">
        <SandboxStatusBadge sandbox={sandbox} />
        {endedAt === null && program?.version != null ? (
          <Text as="span" fontFamily="mono" fontSize="xs" color="fg.muted">
            {program.version}
          </Text>
        ) : null}
      </Flex>
      {error === null ? (
        <Text fontSize="xs" color="fg.muted">
          {phase === null ? describeState(sandbox) : "Its packages are being installed, see below."}
        </Text>
      ) : (
        <Box role="alert">
          <Text fontWeight="medium">{error.message}</Text>
          <Text color="fg.muted">{error.hint}</Text>
        </Box>
      )}
      {endedAt !== null || added.length === 0 ? null : (
        <Text fontSize="xs" color="fg.muted">
          Started with:{" "}
          <Text as="span" fontFamily="mono">
            {added.join(", ")}
          </Text>
        </Text>
      )}
      {endedAt !== null || withheld.length === 0 ? null : (
        <Text fontSize="xs" color="fg.muted">
          Not given to you here:{" "}
          <Text as="span" fontFamily="mono">
            {withheld.join(", ")}
          </Text>
        </Text>
      )}
    </Box>
  );
}

function Older({ children }: { readonly children: ReactNode }) {
  return (
    <Flex mt="3" p="3" gap="3" align="center" wrap="wrap" borderWidth="1px" borderColor="border.warning" bg="bg.warning" rounded="md">
      {children}
    </Flex>
  );
}

function describeOlder({ program }: Sandbox, version: string | undefined): string {
  const is = program?.version ?? null;
  if (is !== (version ?? null))
    return is === null ? "It is of the working tree, not of the version that is shown." : `It is of version ${is}, not of what is shown.`;
  return "The program has changed since it was started. A restart ends it, with everything in it.";
}
