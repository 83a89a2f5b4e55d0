import { Box, Button, Text, Flex } from "@chakra-ui/react";
import type { Import } from "@syla/sdk";
import { Link, useSearchParams } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { ImportProgress } from "./import-progress.tsx";
import { useFollowImport, useImport } from "./queries.ts";
import { ReviewStep } from "./review-step.tsx";
import { AgainStep, SourceStep } from "./source-step.tsx";
import { WaitingImports } from "./waiting-imports.tsx";

/** Brings a program in: where it comes from, what it is, and whether it is as wanted. All of it stands in the address. */
export default function NewProgramPage() {
  const [search] = useSearchParams();
  const id = search.get("import");
  const into = search.get("into");
  return (
    <ScrollPage>
      <PageHeader title={into === null ? "Import a program" : "Import again"} />
      {id !== null ? (
        <ImportSteps id={id} />
      ) : into === null ? (
        <>
          <SourceStep kind={search.get("source") ?? "upload"} into={null} before={null} />
          <WaitingImports />
        </>
      ) : (
        <AgainStep kind={search.get("source")} into={into} />
      )}
    </ScrollPage>
  );
}

function ImportSteps({ id }: { readonly id: string }) {
  const found = useImport(id);
  const isWorking = found.data !== undefined && ["fetching", "analysing", "creating"].includes(found.data.state);
  const following = useFollowImport(id, isWorking);
  if (found.isPending) return <SkeletonRows rows={4} />;
  if (found.isError) return <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />;
  const { state, suggestion } = found.data;
  if (state === "review" && suggestion !== null)
    return <ReviewStep key={`${id} ${found.data.folder ?? ""}`} found={found.data} suggestion={suggestion} />;
  if (following.error) return <ErrorPanel error={following.error} onRetry={() => void found.refetch()} />;
  if (isWorking) return <ImportProgress found={found.data} reconnecting={following.reconnecting} />;
  return <Ended found={found.data} />;
}

const ends: Readonly<Partial<Record<Import["state"], string>>> = {
  cancelled: "You gave this import up.",
  expired: "Nobody confirmed this import within a day.",
  created: "The program was made.",
};

function Ended({ found }: { readonly found: Import }) {
  return (
    <Box>
      {found.error === null ? (
        <Text mb="3">{ends[found.state]}</Text>
      ) : (
        <Box role="alert" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" p="3" mb="3">
          <Text fontWeight="semibold">{found.error.message}</Text>
          <Text color="fg.muted">{found.error.hint}</Text>
          <Text fontFamily="mono" fontSize="xs" color="fg.subtle">
            {found.error.code}
          </Text>
        </Box>
      )}
      <Flex gap="2">
        {found.state === "created" && found.assetId !== null ? (
          <Button size="sm" colorPalette="accent" asChild>
            <Link to={`/programs/${found.assetId}`}>Open it</Link>
          </Button>
        ) : (
          <Button size="sm" colorPalette="accent" asChild>
            <Link to={`/programs/new${found.assetId === null ? "" : `?into=${found.assetId}`}`}>Begin again</Link>
          </Button>
        )}
      </Flex>
    </Box>
  );
}
