import { Box, Button, Flex, Grid, Text } from "@chakra-ui/react";
import type { Runtime } from "@syla/sdk";
import { Pencil, Play } from "lucide-react";
import { Link, useNavigate } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useCreateRun, useRuntimes } from "../runs/queries.ts";

/** A program in each language that this server can run, one click away from running. */
export function QuickStart() {
  const runtimes = useRuntimes();
  const create = useCreateRun();
  const navigate = useNavigate();
  const start = (runtime: Runtime) =>
    create.mutate({ language: runtime.name, code: runtime.example }, { onSuccess: (run) => void navigate(`/runs/${run.id}`) });
  const available = runtimes.data?.filter((runtime) => runtime.available) ?? [];
  return (
    <Section heading="Quick start" note="runs in a fresh sandbox, without network">
      {runtimes.isPending ? <SkeletonRows rows={2} /> : null}
      {runtimes.isError ? <ErrorPanel error={runtimes.error} onRetry={() => void runtimes.refetch()} /> : null}
      {create.isError ? <ErrorPanel error={create.error} /> : null}
      {runtimes.isSuccess && available.length === 0 ? (
        <Text px="4" py="5" color="fg.muted">
          No language is installed on this server. <Link to="/system">System</Link> shows what to do.
        </Text>
      ) : null}
      <Grid templateColumns="repeat(auto-fit, minmax(min(100%, 248px), 1fr))" gap="px" overflow="hidden">
        {available.map((runtime) => (
          <ExampleCard
            key={runtime.name}
            runtime={runtime}
            pending={create.isPending && create.variables.language === runtime.name}
            onRun={() => start(runtime)}
          />
        ))}
      </Grid>
    </Section>
  );
}

interface ExampleCardProps {
  readonly runtime: Runtime;
  readonly pending: boolean;
  readonly onRun: () => void;
}

function ExampleCard({ runtime, pending, onRun }: ExampleCardProps) {
  return (
    <Flex direction="column" bg="bg.panel" p="3" gap="2" minW="0" boxShadow="0 0 0 1px {colors.border.muted}">
      <Flex align="center" gap="2">
        <Text fontWeight="medium" truncate>
          {runtime.title}
        </Text>
        <Text fontSize="xs" color="fg.subtle" flexShrink="0">
          {runtime.version}
        </Text>
        <Flex ml="auto" gap="1" flexShrink="0">
          <IconButton label={`Open the ${runtime.title} example in the editor`} asChild>
            <Link to={`/runs/new?language=${encodeURIComponent(runtime.name)}`}>
              <Pencil />
            </Link>
          </IconButton>
          <Button
            size="xs"
            variant="outline"
            loading={pending}
            loadingText="Run"
            onClick={onRun}
            aria-label={`Run the ${runtime.title} example`}
          >
            <Play aria-hidden /> Run
          </Button>
        </Flex>
      </Flex>
      <Box
        as="pre"
        aria-hidden
        fontFamily="mono"
        fontSize="2xs"
        lineHeight="16px"
        color="fg.muted"
        maxH="64px"
        overflow="hidden"
        css={{ maskImage: "linear-gradient(black 40px, transparent 64px)" }}
      >
        {runtime.example}
      </Box>
    </Flex>
  );
}
