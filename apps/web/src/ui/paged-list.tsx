import { Box, Button, Flex } from "@chakra-ui/react";
import { Fragment, type ReactNode } from "react";
import { ErrorPanel } from "./error-panel.tsx";
import { SkeletonRows } from "./skeleton-rows.tsx";

/** A list that is read page by page, as `useInfiniteQuery` has it. */
export interface Pages<T> {
  readonly data: { readonly pages: readonly { readonly items: readonly T[] }[] } | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly isSuccess: boolean;
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly refetch: () => unknown;
  readonly fetchNextPage: () => unknown;
}

interface PagedListProps<T> {
  readonly pages: Pages<T>;
  /** What went wrong with something that was done to the list. */
  readonly problem?: unknown;
  /** Said when there is nothing. */
  readonly empty: ReactNode;
  /** How many rows are drawn while the first page is read. */
  readonly skeletonRows?: number;
  readonly more?: string;
  /** Draws an `li`. */
  readonly renderRow: (item: T) => ReactNode;
}

/** A framed list with the next page on demand: while it is read, when there is nothing, and when reading it failed. */
export function PagedList<T extends { readonly id: string }>(props: PagedListProps<T>) {
  const { pages, problem = null, empty, skeletonRows = 6, more = "Older ones", renderRow } = props;
  const items = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const error = pages.error ?? problem;
  return (
    <>
      {error ? (
        <Box mb="3">
          <ErrorPanel error={error} onRetry={() => void pages.refetch()} />
        </Box>
      ) : null}
      {pages.isPending ? <SkeletonRows rows={skeletonRows} /> : null}
      {pages.isSuccess && items.length === 0 ? empty : null}
      {items.length > 0 ? (
        <Box as="ul" listStyleType="none" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
          {items.map((item) => (
            <Fragment key={item.id}>{renderRow(item)}</Fragment>
          ))}
        </Box>
      ) : null}
      {pages.hasNextPage ? (
        <Flex justify="center" mt="3">
          <Button size="xs" variant="outline" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            {more}
          </Button>
        </Flex>
      ) : null}
    </>
  );
}
