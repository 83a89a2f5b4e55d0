import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { DatasetColumn } from "@syla/sdk";
import { useCallback } from "react";
import { DataGrid } from "../../datasets/data-grid.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatPlural } from "../../ui/format.ts";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useLinkedRows } from "./queries.ts";

/** The rows of a dataset, to read. */
export function LinkedRows({ id, columns }: { readonly id: string; readonly columns: readonly DatasetColumn[] }) {
  const pages = useLinkedRows(id);
  const rows = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const onRange = useCallback(() => {}, []);
  if (pages.isPending) return <SkeletonRows rows={6} />;
  return (
    <Flex direction="column" flex="1" minH="320px" px={{ base: "4", md: "6" }} py="3" gap="2">
      {pages.isError ? <ErrorPanel error={pages.error} onRetry={() => void pages.refetch()} /> : null}
      <Box flex="1" minH="0">
        <DataGrid columns={columns} rowCount={rows.length} rowAt={(index) => rows[index]} onRange={onRange} />
      </Box>
      <Flex align="center" gap="3" fontSize="xs" color="fg.muted">
        <Text role="status">
          {formatPlural(rows.length, "row")}
          {pages.hasNextPage ? " so far" : ""}
        </Text>
        {pages.hasNextPage ? (
          <Button size="xs" variant="outline" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Show more
          </Button>
        ) : null}
      </Flex>
    </Flex>
  );
}
