import { Flex, Text } from "@chakra-ui/react";
import type { RunStatus } from "@syla/sdk";
import { CirclePlay, Globe, RotateCcw, Users, X } from "lucide-react";
import { useMe } from "../../accounts/queries.ts";
import { FilterBar, FilterChoice, FilterSearch } from "../../ui/filter-bar.tsx";
import { FilterChip } from "../../ui/filter-chip.tsx";
import { formatCount } from "../../ui/format.ts";
import { StatusIcon, statusLooks } from "../../ui/status-badge.tsx";
import { useRuntimes } from "../queries.ts";
import { isFiltered, type RunListFilter, sinceChoices } from "./run-filter.ts";

const statuses: readonly RunStatus[] = ["queued", "starting", "running", "waiting", "succeeded", "failed", "timed_out", "cancelled"];
/** States that runs seldom stay in: shown while there is one, or it is looked for. */
const passing: ReadonlySet<RunStatus> = new Set(["starting", "waiting"]);
const moving: ReadonlySet<RunStatus> = new Set(["starting", "running"]);

const noRunFilter: RunListFilter = { statuses: [], language: "", since: "", q: "", owner: "", program: "", deadLetters: false };

interface RunFiltersProps {
  readonly filter: RunListFilter;
  /** How many runs choosing each state would find; null: not known yet. */
  readonly counts: Readonly<Record<RunStatus, number>> | null;
  /** Given the filter as it stands when the change is made. */
  readonly onChange: (change: (filter: RunListFilter) => RunListFilter) => void;
}

/** The filters of the list. */
export function RunFilters({ filter, counts, onChange }: RunFiltersProps) {
  const runtimes = useRuntimes();
  const isAdmin = useMe().data?.role === "admin";
  const toggleOwner = (owner: RunListFilter["owner"]) => onChange((before) => ({ ...before, owner: before.owner === owner ? "" : owner }));
  const toggle = (status: RunStatus) =>
    onChange((before) => {
      const { statuses: chosen } = before;
      return { ...before, statuses: chosen.includes(status) ? chosen.filter((other) => other !== status) : [...chosen, status] };
    });
  return (
    <FilterBar onClear={isFiltered(filter) ? () => onChange(() => noRunFilter) : undefined}>
      <FilterSearch
        label="Search runs"
        placeholder="Search id or entrypoint"
        width="176px"
        q={filter.q}
        onSearch={(q) => onChange((before) => ({ ...before, q }))}
      />
      <FilterChip pressed={filter.owner === "shared"} onClick={() => toggleOwner("shared")}>
        <span aria-hidden>
          <Users size={14} />
        </span>
        Shared with me
      </FilterChip>
      {isAdmin ? (
        <FilterChip pressed={filter.owner === "all"} onClick={() => toggleOwner("all")}>
          <span aria-hidden>
            <Globe size={14} />
          </span>
          Everybody&apos;s
        </FilterChip>
      ) : null}
      <FilterChip pressed={filter.deadLetters} onClick={() => onChange((before) => ({ ...before, deadLetters: !before.deadLetters }))}>
        <span aria-hidden>
          <RotateCcw size={14} />
        </span>
        Given up
      </FilterChip>
      {filter.program === "" ? null : (
        <FilterChip pressed onClick={() => onChange((before) => ({ ...before, program: "" }))}>
          <span aria-hidden>
            <X size={14} />
          </span>
          Of one program
        </FilterChip>
      )}
      <Flex role="group" aria-label="Status" gap="1.5" wrap="wrap">
        {statuses
          .filter((status) => !passing.has(status) || filter.statuses.includes(status) || (counts?.[status] ?? 0) > 0)
          .map((status) => (
            <FilterChip key={status} pressed={filter.statuses.includes(status)} onClick={() => toggle(status)}>
              <span aria-hidden>{moving.has(status) ? <CirclePlay size={16} /> : <StatusIcon status={status} />}</span>
              {statusLooks[status].label}
              {counts === null ? null : (
                <Text as="span" fontWeight="normal" color={counts[status] === 0 ? "fg.subtle" : undefined}>
                  {formatCount(counts[status])}
                </Text>
              )}
            </FilterChip>
          ))}
      </Flex>
      <Flex gap="2" wrap="wrap">
        <FilterChoice
          label="Language"
          value={filter.language}
          onChoose={(language) => onChange((before) => ({ ...before, language }))}
          none="any language"
        >
          {runtimes.data?.map((runtime) => (
            <option key={runtime.name} value={runtime.name}>
              {runtime.title}
            </option>
          ))}
        </FilterChoice>
        <FilterChoice label="Time" value={filter.since} onChoose={(since) => onChange((before) => ({ ...before, since }))} none="any time">
          {sinceChoices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </FilterChoice>
      </Flex>
    </FilterBar>
  );
}
