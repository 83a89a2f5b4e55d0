import { Flex } from "@chakra-ui/react";
import type { RunStatus } from "@syla/sdk";
import { CirclePlay, RotateCcw, Users, X } from "lucide-react";
import { FilterBar, FilterChoice, FilterSearch } from "../../ui/filter-bar.tsx";
import { FilterChip } from "../../ui/filter-chip.tsx";
import { StatusIcon, statusLooks } from "../../ui/status-badge.tsx";
import { useRuntimes } from "../queries.ts";
import { isFiltered, type RunListFilter, sinceChoices } from "./run-filter.ts";

const statuses: readonly RunStatus[] = ["queued", "running", "succeeded", "failed", "timed_out", "cancelled"];

const noRunFilter: RunListFilter = { statuses: [], language: "", since: "", q: "", shared: false, program: "", deadLetters: false };

interface RunFiltersProps {
  readonly filter: RunListFilter;
  /** Given the filter as it stands when the change is made. */
  readonly onChange: (change: (filter: RunListFilter) => RunListFilter) => void;
}

/** The filters of the list. */
export function RunFilters({ filter, onChange }: RunFiltersProps) {
  const runtimes = useRuntimes();
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
      <FilterChip pressed={filter.shared} onClick={() => onChange((before) => ({ ...before, shared: !before.shared }))}>
        <span aria-hidden>
          <Users size={14} />
        </span>
        Shared with me
      </FilterChip>
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
        {statuses.map((status) => (
          <FilterChip key={status} pressed={filter.statuses.includes(status)} onClick={() => toggle(status)}>
            <span aria-hidden>{status === "running" ? <CirclePlay size={16} /> : <StatusIcon status={status} />}</span>
            {statusLooks[status].label}
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
