import { Box, Button, Flex, Link as PlainLink, Text } from "@chakra-ui/react";
import type { Import } from "@syla/sdk";
import { Link } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useCancelImport, useWaitingImports } from "./queries.ts";

/** Imports whose review was closed before it was confirmed; nothing while there are none. */
export function WaitingImports() {
  const waiting = useWaitingImports();
  if (waiting.isError) return <ErrorPanel error={waiting.error} onRetry={() => void waiting.refetch()} />;
  if (!waiting.data || waiting.data.length === 0) return null;
  return (
    <Section heading="Imports that wait" note="looked at, and to be confirmed within a day">
      {waiting.data.map((found) => (
        <WaitingImport key={found.id} found={found} />
      ))}
    </Section>
  );
}

function WaitingImport({ found }: { readonly found: Import }) {
  const cancel = useCancelImport(found.id);
  const title = found.suggestion?.name ?? found.source.name ?? found.source.kind;
  return (
    <Box px="3" py="2" borderBottomWidth="1px" borderColor="border" _last={{ borderBottomWidth: 0 }}>
      <Flex gap="3" align="center" wrap="wrap">
        <PlainLink asChild textDecoration="underline" wordBreak="break-word">
          <Link to={`?import=${found.id}`}>{title}</Link>
        </PlainLink>
        <Text fontSize="xs" color="fg.muted" wordBreak="break-all">
          {describe(found)}
        </Text>
        <Flex ml="auto" gap="3" align="center">
          <Text fontSize="xs" color="fg.muted">
            <TimeAgo time={found.createdAt} />
          </Text>
          <Button size="xs" variant="outline" aria-label={`Give up ${title}`} loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Give up
          </Button>
        </Flex>
      </Flex>
      {cancel.error ? <ErrorPanel error={cancel.error} /> : null}
    </Box>
  );
}

const kinds = { files: "uploaded files", archive: "an archive", git: "a repository", template: "a template", clone: "a copy" } as const;

function describe({ source: { kind, name }, assetId }: Import): string {
  const from = kind === "files" || kind === "clone" || name === null ? kinds[kind] : `${kinds[kind]}, ${name}`;
  return assetId === null ? from : `${from}, to replace the files of a program`;
}
