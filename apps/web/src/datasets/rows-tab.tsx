import { Button, Flex, Input, Text } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { ChevronLeft, ChevronRight, Search } from "lucide-react";
import { type FormEvent, useCallback, useState } from "react";
import { useSearchParams } from "react-router";
import { syla } from "../app/api.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount, formatPlural } from "../ui/format.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { DataGrid } from "./data-grid.tsx";
import { pageRows, type RowSource, useFoundRows, useRowPages } from "./queries.ts";

/** No browser scrolls further than some millions of pixels: so many rows are shown in one piece. */
const partRows = 200_000;

/** The rows, all of them or those of a split, as a grid. */
export function RowsTab({ asset }: { readonly asset: Asset }) {
  const config = syla.datasets.config(asset);
  const [search, setSearch] = useSearchParams();
  const share = config.splits?.shares.find(({ name }) => name === search.get("split"));
  const q = search.get("q") ?? "";
  const change = (name: "split" | "q", value: string) => {
    const next = new URLSearchParams(search);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setSearch(next, { replace: true });
  };
  const source = { asset, split: share?.name ?? "" };
  const total = share?.rows ?? config.rowCount;
  return (
    <Flex direction="column" h="full" px={{ base: "4", md: "6" }} py="3" gap="2">
      <Flex gap="2" align="center" wrap="wrap">
        {config.splits === null ? null : (
          <SelectField label="Split" size="xs" width="44" value={source.split} onChoose={(value) => change("split", value)}>
            <option value="">all rows</option>
            {config.splits.shares.map(({ name, rows }) => (
              <option key={name} value={name}>
                {name} ({formatCount(rows)})
              </option>
            ))}
          </SelectField>
        )}
        <SearchForm key={q} q={q} onSearch={(value) => change("q", value)} />
      </Flex>
      {q === "" ? <AllRows key={source.split} source={source} total={total} /> : <FoundRows source={source} q={q} />}
    </Flex>
  );
}

function SearchForm({ q, onSearch }: { readonly q: string; readonly onSearch: (q: string) => void }) {
  const [text, setText] = useState(q);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim());
  };
  return (
    <Flex as="form" onSubmit={onSubmit} gap="1" role="search">
      <Input
        size="xs"
        w="48"
        type="search"
        aria-label="Find in the rows"
        placeholder="Find in the rows"
        value={text}
        maxLength={1000}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" size="xs" variant="outline">
        <Search aria-hidden /> Find
      </Button>
      {q === "" ? null : (
        <Button size="xs" variant="ghost" onClick={() => onSearch("")}>
          Clear
        </Button>
      )}
    </Flex>
  );
}

function AllRows({ source, total }: { readonly source: RowSource; readonly total: number }) {
  const { columns } = syla.datasets.config(source.asset);
  const [part, setPart] = useState(0);
  const [range, setRange] = useState({ from: 0, to: 0 });
  const onRange = useCallback((from: number, to: number) => setRange({ from, to }), []);
  const start = part * partRows;
  const firstPage = Math.floor((start + range.from) / pageRows);
  const lastPage = Math.floor((start + Math.max(range.from, range.to - 1)) / pageRows);
  const pages = Array.from({ length: lastPage - firstPage + 1 }, (_, index) => firstPage + index);
  const read = useRowPages(source, pages);
  const failed = read.find((page) => page.isError);
  const rowAt = (index: number) => {
    const at = start + index;
    return read[Math.floor(at / pageRows) - firstPage]?.data?.[at % pageRows];
  };
  const count = Math.min(partRows, total - start);
  return (
    <>
      {failed === undefined ? null : <ErrorPanel error={failed.error} onRetry={() => void failed.refetch()} />}
      <Flex flex="1" minH="0" direction="column">
        <DataGrid key={part} columns={columns} rowCount={count} rowAt={rowAt} onRange={onRange} />
      </Flex>
      <Flex align="center" gap="2" fontSize="xs" color="fg.muted">
        <Text role="status">
          {formatPlural(total, "row")}, {formatPlural(columns.length, "column")}
        </Text>
        {total > partRows ? (
          <Flex ml="auto" align="center" gap="1">
            <IconButton label="Rows before these" disabled={part === 0} onClick={() => setPart(part - 1)}>
              <ChevronLeft />
            </IconButton>
            <Text>
              {formatCount(start + 1)}–{formatCount(start + count)}
            </Text>
            <IconButton label="Rows after these" disabled={start + count >= total} onClick={() => setPart(part + 1)}>
              <ChevronRight />
            </IconButton>
          </Flex>
        ) : null}
      </Flex>
    </>
  );
}

function FoundRows({ source, q }: { readonly source: RowSource; readonly q: string }) {
  const { columns } = syla.datasets.config(source.asset);
  const found = useFoundRows(source, q);
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  const onRange = useCallback(() => {}, []);
  if (found.isPending) return <SkeletonRows rows={4} />;
  return (
    <>
      {found.isError ? <ErrorPanel error={found.error} onRetry={() => void found.refetch()} /> : null}
      <Flex flex="1" minH="0" direction="column">
        {rows.length > 0 ? <DataGrid columns={columns} rowCount={rows.length} rowAt={(index) => rows[index]} onRange={onRange} /> : null}
      </Flex>
      <Flex align="center" gap="2" fontSize="xs" color="fg.muted">
        <Text role="status">
          {rows.length === 0 ? "Nothing found" : `${formatPlural(rows.length, "row")} found`}
          {found.hasNextPage ? " so far" : ""}
        </Text>
        {found.hasNextPage ? (
          <Button size="xs" variant="outline" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Look further
          </Button>
        ) : null}
      </Flex>
    </>
  );
}
