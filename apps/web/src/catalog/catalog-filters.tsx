import { Button, Flex, Input } from "@chakra-ui/react";
import { LayoutGrid, Rows3, Tag, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { FilterChip } from "../ui/filter-chip.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useTeams } from "../teams/queries.ts";
import { AssetIcon, assetLooks } from "./asset-looks.tsx";
import { type CatalogFilter, type CatalogSort, isNarrowed, sorts } from "./catalog-filter.ts";

interface CatalogFiltersProps {
  readonly filter: CatalogFilter;
  /** Given the filter as it stands when the change is made. */
  readonly onChange: (change: (filter: CatalogFilter) => CatalogFilter) => void;
}

/** The filters of the catalog, and how it is laid out. */
export function CatalogFilters({ filter, onChange }: CatalogFiltersProps) {
  const teams = useTeams();
  const types = ["program", "composition", "model", "dataset"] as const;
  return (
    <Flex gap="2" wrap="wrap" align="center" py="3">
      <SearchBox q={filter.q} onSearch={(q) => onChange((before) => ({ ...before, q }))} />
      <Flex role="group" aria-label="Type" gap="1.5" wrap="wrap">
        {types.map((type) => (
          <FilterChip
            key={type}
            pressed={filter.types.includes(type)}
            onClick={() =>
              onChange((before) => ({
                ...before,
                types: before.types.includes(type) ? before.types.filter((other) => other !== type) : [...before.types, type],
              }))
            }
          >
            <span aria-hidden>
              <AssetIcon type={type} size={14} />
            </span>
            {assetLooks[type].plural}
          </FilterChip>
        ))}
      </Flex>
      {filter.tags.map((tag) => (
        <FilterChip
          key={tag}
          pressed
          aria-label={`No longer only with the tag ${tag}`}
          onClick={() => onChange((before) => ({ ...before, tags: before.tags.filter((other) => other !== tag) }))}
        >
          <Tag size={12} aria-hidden /> {tag} <X size={12} aria-hidden />
        </FilterChip>
      ))}
      {teams.data !== undefined && teams.data.length > 0 ? (
        <SelectField
          label="Owner"
          size="xs"
          width="32"
          value={filter.owner}
          onChoose={(owner) => onChange((before) => ({ ...before, owner, view: owner === "" ? before.view : "all" }))}
        >
          <option value="">any owner</option>
          <option value="me">me</option>
          {teams.data.map((team) => (
            <option key={team.id} value={team.id}>
              {team.name}
            </option>
          ))}
        </SelectField>
      ) : null}
      {isNarrowed(filter) ? (
        <Button
          size="2xs"
          h="7"
          variant="ghost"
          color="fg.muted"
          onClick={() => onChange((before) => ({ ...before, types: [], tags: [], owner: "", q: "" }))}
        >
          <X aria-hidden /> Clear
        </Button>
      ) : null}
      <Flex ml={{ base: "0", sm: "auto" }} gap="1" align="center">
        <SelectField
          label="Sort by"
          size="xs"
          width="32"
          value={filter.sort}
          onChoose={(sort) => onChange((before) => ({ ...before, sort: sort as CatalogSort }))}
        >
          <option value="">{filter.q ? "Best match" : "Last changed"}</option>
          {sorts
            .filter(({ value }) => filter.q !== "" || value !== "updated")
            .map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
        </SelectField>
        <LayoutButton filter={filter} layout="cards" onChange={onChange} />
        <LayoutButton filter={filter} layout="table" onChange={onChange} />
      </Flex>
    </Flex>
  );
}

function LayoutButton({ filter, layout, onChange }: CatalogFiltersProps & { readonly layout: CatalogFilter["layout"] }) {
  const pressed = filter.layout === layout;
  return (
    <IconButton
      label={layout === "cards" ? "As cards" : "As a table"}
      aria-pressed={pressed}
      bg={pressed ? "bg.muted" : undefined}
      color={pressed ? "fg" : "fg.muted"}
      onClick={() => onChange((before) => ({ ...before, layout }))}
    >
      {layout === "cards" ? <LayoutGrid /> : <Rows3 />}
    </IconButton>
  );
}

/** Searches while one types; `/` leads into it. */
function SearchBox({ q, onSearch }: { readonly q: string; readonly onSearch: (q: string) => void }) {
  const [text, setText] = useState(q);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setText(q), [q]);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => onSearch(text), 150);
    return () => clearTimeout(timer);
    // Typing restarts the pause; the callback is new on every render.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [text]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable=true]") !== null;
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      box.current?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <Input
      ref={box}
      type="search"
      size="xs"
      maxLength={200}
      w={{ base: "full", sm: "220px" }}
      placeholder="Search names, tags, slots …"
      aria-label="Search the catalog"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
