import { Box, Button, Flex, Grid, Input, Text } from "@chakra-ui/react";
import type { Workspace } from "@syla/sdk";
import { FolderGit2, Plus } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { changedSearch } from "../editor/use-place.ts";
import { CheckBox } from "../ui/check-box.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { formatBytes, formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { BulkBar } from "./bulk-bar.tsx";
import { CreateDialog } from "./create-dialog.tsx";
import { kindLabels, kinds } from "./kinds.ts";
import { useWorkspaces, type WorkspaceListFilter } from "./queries.ts";
import { WorkspaceStateBadge } from "./workspace-state.tsx";

const views = [
  { id: "all", label: "All" },
  { id: "mine", label: "Mine" },
  { id: "team", label: "My teams'" },
  { id: "shared", label: "Shared with me" },
  { id: "deleted", label: "Deleted" },
] as const;

/** Trees of files in which runs happen. */
export default function WorkspacesPage() {
  const [search, setSearch] = useSearchParams();
  const [creating, setCreating] = useState(false);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const filter: WorkspaceListFilter = {
    view: views.find(({ id }) => id === search.get("view"))?.id ?? "all",
    kind: kinds.find(({ kind }) => kind === search.get("kind"))?.kind ?? null,
    q: search.get("q") ?? "",
  };
  const pages = useWorkspaces(filter);
  const items = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const change = (changes: Readonly<Record<string, string | null>>) => {
    setSelected(new Set());
    setSearch((before) => changedSearch(before, changes), { replace: true });
  };
  const select = (id: string, isSelected: boolean) =>
    setSelected((before) => new Set(isSelected ? [...before, id] : [...before].filter((other) => other !== id)));
  const isFiltered = filter.kind !== null || filter.q !== "";
  return (
    <ScrollPage>
      <PageHeader
        title="Workspaces"
        actions={
          <Button size="xs" colorPalette="accent" onClick={() => setCreating(true)}>
            <Plus aria-hidden /> New workspace
          </Button>
        }
      />
      <Box mb="3">
        <TabLinks
          label="Which workspaces"
          tabs={views.map(({ id, label }) => ({
            to: id === "all" ? "/workspaces" : `/workspaces?view=${id}`,
            label,
            current: filter.view === id,
          }))}
        />
      </Box>
      <Flex gap="2" mb="3" wrap="wrap">
        <Input
          size="xs"
          h="8"
          maxW="64"
          bg="bg.panel"
          aria-label="Find by name"
          placeholder="Find by name"
          value={filter.q}
          onChange={(event) => change({ q: event.currentTarget.value || null })}
        />
        <SelectField label="Kind" size="xs" value={filter.kind ?? ""} onChoose={(value) => change({ kind: value || null })}>
          <option value="">Every kind</option>
          {kinds.map(({ kind, label }) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </SelectField>
      </Flex>
      <BulkBar workspaces={items.filter(({ id }) => selected.has(id))} view={filter.view} onDone={() => setSelected(new Set())} />
      <PagedList
        pages={pages}
        empty={
          <EmptyState icon={FolderGit2} title={isFiltered ? "No such workspace" : emptyTitles[filter.view]}>
            {isFiltered
              ? "Look for another name, or for every kind."
              : "A workspace keeps files between runs: what a run changes in it is there for the next one, and for whoever shares it."}
          </EmptyState>
        }
        renderRow={(workspace) => (
          <WorkspaceRow
            workspace={workspace}
            selected={selected.has(workspace.id)}
            onSelect={(isSelected) => select(workspace.id, isSelected)}
          />
        )}
      />
      {creating ? <CreateDialog onClose={() => setCreating(false)} /> : null}
    </ScrollPage>
  );
}

const emptyTitles: Readonly<Record<WorkspaceListFilter["view"], string>> = {
  all: "No workspace yet",
  mine: "You have no workspace",
  team: "Your teams have no workspace",
  shared: "Nobody has shared a workspace with you",
  deleted: "Nothing was deleted",
};

interface WorkspaceRowProps {
  readonly workspace: Workspace;
  readonly selected: boolean;
  readonly onSelect: (selected: boolean) => void;
}

function WorkspaceRow({ workspace, selected, onSelect }: WorkspaceRowProps) {
  const { id, name, kind, tree, owner, lastUsedAt } = workspace;
  const size = `${formatPlural(tree.files, "file")}, ${formatBytes(tree.bytes)}`;
  return (
    <Grid
      as="li"
      templateColumns={{ base: "24px minmax(0, 1fr) auto", md: "24px minmax(160px, 1fr) 110px 160px minmax(0, 140px) 90px" }}
      alignItems="center"
      columnGap="3"
      rowGap="0.5"
      px="3"
      py="2"
      position="relative"
      borderBottomWidth="1px"
      borderColor="border.muted"
      bg={selected ? "accent.subtle" : undefined}
      _last={{ borderBottomWidth: "0" }}
      _hover={{ bg: selected ? "accent.subtle" : "bg.muted" }}
    >
      <Box position="relative" zIndex="1">
        <CheckBox m="0" checked={selected} aria-label={`Select ${name}`} onChange={(event) => onSelect(event.currentTarget.checked)} />
      </Box>
      <Box minW="0">
        <Text fontWeight="medium" truncate css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
          <Link to={`/workspaces/${id}`}>{name}</Link>
        </Text>
        <Text fontSize="xs" color="fg.muted" truncate>
          {kindLabels[kind]}
          <Text as="span" hideFrom="md">
            {` · ${size} · ${owner.name}`}
          </Text>
        </Text>
      </Box>
      <Box fontSize="xs">
        <WorkspaceStateBadge workspace={workspace} />
      </Box>
      <Text textAlign="right" fontSize="xs" color="fg.muted" fontVariantNumeric="tabular-nums" hideBelow="md">
        {size}
      </Text>
      <Text fontSize="xs" color="fg.muted" truncate hideBelow="md">
        {owner.name}
      </Text>
      <Box fontSize="xs" color="fg.muted" textAlign="right" hideBelow="md">
        <TimeAgo time={lastUsedAt} />
      </Box>
    </Grid>
  );
}
