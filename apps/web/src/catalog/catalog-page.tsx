import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { AssetSummary } from "@syla/sdk";
import { Database, FolderInput, Library, Plus, SearchX, Workflow } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { AssetCards } from "./asset-cards.tsx";
import { type CatalogFilter, isNarrowed, readCatalogFilter, views, writeCatalogFilter } from "./catalog-filter.ts";
import { CatalogFilters } from "./catalog-filters.tsx";
import { useAssetList } from "./queries.ts";

const AssetTable = lazy(async () => ({ default: (await import("./asset-table.tsx")).AssetTable }));
const BulkBar = lazy(async () => ({ default: (await import("./bulk-bar.tsx")).BulkBar }));
const NewProgramDialog = lazy(async () => ({ default: (await import("./new-program-dialog.tsx")).NewProgramDialog }));

const NewCompositionDialog = lazy(async () => ({
  default: (await import("../compositions/new-composition-dialog.tsx")).NewCompositionDialog,
}));

const UploadDialog = lazy(async () => ({ default: (await import("../datasets/upload-dialog.tsx")).UploadDialog }));

const none: ReadonlySet<string> = new Set();

/** What is in the catalog, filtered by what stands in the address. */
export default function CatalogPage() {
  const [search, setSearch] = useSearchParams();
  const filter = readCatalogFilter(search);
  const list = useAssetList(filter);
  const me = useMe();
  const [selected, setSelected] = useState(none);
  const [selectsRest, setSelectsRest] = useState(false);
  const [creating, setCreating] = useState(false);
  const [composing, setComposing] = useState(false);
  const [uploading, setUploading] = useState(false);
  const assets = list.data?.pages.flatMap((page) => page.items) ?? [];
  const chosen = assets.filter((asset) => selected.has(asset.id));
  const selectNone = () => {
    setSelected(none);
    setSelectsRest(false);
  };
  useSelectRest(list, selectsRest, () => {
    setSelected(new Set(assets.map((asset) => asset.id)));
    setSelectsRest(false);
  });
  const mayCreate = me.data?.role !== "end_user";
  const changeFilter = (change: (filter: CatalogFilter) => CatalogFilter) => {
    selectNone();
    // The address itself, not what was last drawn: two quick changes must not undo each other.
    setSearch(writeCatalogFilter(change(readCatalogFilter(new URLSearchParams(window.location.search)))), { replace: true });
  };
  const select = (id: string, on: boolean) =>
    setSelected((before) => new Set(on ? [...before, id] : [...before].filter((other) => other !== id)));
  const shown = { assets, selected, onSelect: select, onTag: (tag: string) => changeFilter((before) => withTag(before, tag)) };
  const newProgram = mayCreate ? (
    <>
      <Button size="xs" variant="outline" onClick={() => setUploading(true)}>
        <Database aria-hidden /> New dataset
      </Button>
      <Button size="xs" variant="outline" onClick={() => setComposing(true)}>
        <Workflow aria-hidden /> New composition
      </Button>
      <Button size="xs" variant="outline" asChild>
        <Link to="/programs/new">
          <FolderInput aria-hidden /> Import
        </Link>
      </Button>
      <Button size="xs" colorPalette="accent" onClick={() => setCreating(true)}>
        <Plus aria-hidden /> New program
      </Button>
    </>
  ) : null;
  return (
    <ScrollPage>
      <PageHeader title="Catalog" actions={newProgram} />
      <TabLinks
        label="Views"
        tabs={views.map(({ value, label }) => ({
          to: `?${writeCatalogFilter({ ...filter, view: value, owner: "" }).toString()}`,
          label,
          current: filter.view === value,
        }))}
      />
      <CatalogFilters filter={filter} onChange={changeFilter} />
      {list.isError ? (
        <Box mb="3">
          <ErrorPanel error={list.error} onRetry={() => void list.refetch()} />
        </Box>
      ) : null}
      <Suspense fallback={null}>
        {chosen.length > 0 ? (
          <BulkBar
            assets={chosen}
            view={filter.view}
            onSelectRest={(list.hasNextPage && chosen.length === assets.length) || selectsRest ? () => setSelectsRest(true) : null}
            isSelectingRest={selectsRest}
            onDone={selectNone}
          />
        ) : null}
      </Suspense>
      {list.isPending ? <SkeletonRows rows={8} /> : null}
      {list.isSuccess && assets.length === 0 ? (
        <NothingHere
          filter={filter}
          action={newProgram}
          onClear={() => changeFilter((before) => ({ ...before, types: [], tags: [], owner: "", q: "" }))}
        />
      ) : null}
      {list.data?.pages[0]?.isAlike === true ? (
        <Text fontSize="sm" color="fg.muted" mb="2" role="status">
          Nothing has the words “{filter.q}”. These are like them:
        </Text>
      ) : null}
      {assets.length === 0 ? null : (
        <Suspense fallback={<SkeletonRows rows={8} />}>
          {filter.layout === "table" ? (
            <AssetTable {...shown} onSelectAll={(on) => setSelected(on ? new Set(assets.map((asset) => asset.id)) : none)} />
          ) : (
            <AssetCards {...shown} />
          )}
          <ListEnd list={list} assets={assets} />
        </Suspense>
      )}
      <Suspense fallback={null}>
        {creating ? <NewProgramDialog onClose={() => setCreating(false)} /> : null}
        {composing ? <NewCompositionDialog onClose={() => setComposing(false)} /> : null}
        {uploading ? <UploadDialog into={null} onClose={() => setUploading(false)} /> : null}
      </Suspense>
    </ScrollPage>
  );
}

/** While it is wanted, reads page after page; then there is nothing more to read. */
function useSelectRest(list: ReturnType<typeof useAssetList>, isWanted: boolean, onAll: () => void): void {
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = list;
  useEffect(() => {
    if (!isWanted || isFetchingNextPage) return;
    if (hasNextPage && !isError) void fetchNextPage();
    else onAll();
  });
}

function withTag(filter: CatalogFilter, tag: string): CatalogFilter {
  return filter.tags.includes(tag) ? filter : { ...filter, tags: [...filter.tags, tag] };
}

interface ListEndProps {
  readonly list: ReturnType<typeof useAssetList>;
  readonly assets: readonly AssetSummary[];
}

function ListEnd({ list, assets }: ListEndProps) {
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  // The next page is read before the end is in sight; the button is for those who do not scroll.
  useEffect(() => {
    if (end.current === null || !hasNextPage || isFetchingNextPage) return;
    const observer = new IntersectionObserver(([seen]) => seen?.isIntersecting === true && void fetchNextPage(), { rootMargin: "600px" });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, assets.length]);
  return (
    <Flex ref={end} mt="3" align="center" gap="3">
      <Text fontSize="xs" color="fg.subtle" role="status">
        {formatPlural(assets.length, "asset")}
        {list.hasNextPage ? " so far" : ""}
      </Text>
      {list.hasNextPage ? (
        <Button size="xs" variant="outline" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      ) : null}
    </Flex>
  );
}

const emptyWords: Readonly<Record<CatalogFilter["view"], readonly [string, string]>> = {
  mine: [
    "Nothing of yours yet",
    "A program is a tree of files with an entrypoint. Make one here, or push a folder with `syla program push`.",
  ],
  shared: ["Nothing is shared with you", "What others share with you or your teams, and what your teams own, appears here."],
  public: ["Nothing is public", "Whoever owns a program can let everybody who is signed in see and run it."],
  all: ["The catalog is empty", "Make a program, or ask a colleague to share one with you."],
  deleted: ["Nothing is deleted", "What is deleted stays here for 30 days, and can be restored."],
};

interface NothingHereProps {
  readonly filter: CatalogFilter;
  readonly action: React.ReactNode;
  readonly onClear: () => void;
}

function NothingHere({ filter, action, onClear }: NothingHereProps) {
  if (isNarrowed(filter))
    return (
      <EmptyState
        icon={SearchX}
        title="Nothing matches"
        action={
          <Button size="xs" variant="outline" onClick={onClear}>
            Clear the filters
          </Button>
        }
      >
        Take a filter away, or look in another view.
      </EmptyState>
    );
  const [title, words] = emptyWords[filter.view];
  return (
    <EmptyState icon={Library} title={title} action={filter.view === "mine" || filter.view === "all" ? action : null}>
      {words}
    </EmptyState>
  );
}
