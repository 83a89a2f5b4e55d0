import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { CircleArrowUp, Hammer, PackageOpen } from "lucide-react";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { EnvironmentDetail } from "./environment-detail.tsx";
import { useBuildForProgram, useProgramEnvironment } from "./queries.ts";
import { WarmSwitch } from "./warm-switch.tsx";

interface ProgramEnvironmentProps {
  readonly programId: string;
  /** A published version; the working tree when left out. */
  readonly version?: string | undefined;
  readonly canEdit: boolean;
  readonly canRun: boolean;
}

/** The environment of a program, or of a version of it: its state, and what can be done about it. */
export function ProgramEnvironment({ programId, version, canEdit, canRun }: ProgramEnvironmentProps) {
  const found = useProgramEnvironment(programId, version);
  const build = useBuildForProgram(programId, version);
  if (found.isPending) return <SkeletonRows rows={4} />;
  if (found.isError) return <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />;
  const { environment, problem } = found.data;
  if (problem !== null)
    return (
      <Box role="alert" borderWidth="1px" borderColor="border.error" bg="bg.error" rounded="md" px="4" py="3">
        <Text fontWeight="medium">{problem.message}</Text>
        <Text mt="1">{problem.hint}</Text>
        {problem.fields.slice(0, 20).map(({ path, message }) => (
          <Text key={`${path} ${message}`} mt="1" fontSize="xs" overflowWrap="anywhere">
            <Text as="span" fontFamily="mono">
              {path}
            </Text>
            : {message}
          </Text>
        ))}
      </Box>
    );
  if (environment === null)
    return (
      <EmptyState icon={PackageOpen} title="No packages needed">
        The program names no dependencies. Add a requirements.txt, pyproject.toml, package.json or go.mod, or name packages by hand above.
      </EmptyState>
    );
  const isBusy = environment.state === "building" || build.isPending;
  const canUpgrade = canEdit && version === undefined && environment.isLocked;
  return (
    <Box>
      <Flex gap="2" mb="4" wrap="wrap">
        {canRun && environment.state !== "ready" ? (
          <Button size="xs" colorPalette="accent" loading={isBusy} loadingText="Building" onClick={() => build.mutate(false)}>
            <Hammer aria-hidden /> Build now
          </Button>
        ) : null}
        {canUpgrade ? (
          <Button size="xs" variant="outline" disabled={isBusy} onClick={() => build.mutate(true)}>
            <CircleArrowUp aria-hidden /> Upgrade packages
          </Button>
        ) : null}
        {canRun && environment.id !== "" ? <WarmSwitch environment={environment} /> : null}
      </Flex>
      {build.isError ? (
        <Box mb="4">
          <ErrorPanel error={build.error} />
        </Box>
      ) : null}
      <EnvironmentDetail environment={environment} />
    </Box>
  );
}
