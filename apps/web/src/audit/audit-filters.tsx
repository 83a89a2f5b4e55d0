import { Flex } from "@chakra-ui/react";
import { X } from "lucide-react";
import { FilterBar, FilterChoice, FilterSearch } from "../ui/filter-bar.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { actionChoices, type AuditPageFilter, noAuditFilter, outcomes, sinceChoices, writeAuditFilter } from "./audit-filter.ts";
import { OutcomeMark } from "./outcome-mark.tsx";

interface AuditFiltersProps {
  readonly filter: AuditPageFilter;
  readonly onChange: (change: Partial<AuditPageFilter>) => void;
}

/** The filters of the audit trail. */
export function AuditFilters({ filter, onChange }: AuditFiltersProps) {
  return (
    <FilterBar onClear={writeAuditFilter(filter).size > 0 ? () => onChange(noAuditFilter) : undefined}>
      <FilterSearch label="Search the audit trail" placeholder="Search name, action or id" q={filter.q} onSearch={(q) => onChange({ q })} />
      <Flex role="group" aria-label="Outcome" gap="1.5" wrap="wrap">
        {outcomes.map((outcome) => (
          <FilterChip
            key={outcome}
            pressed={filter.outcome === outcome}
            onClick={() => onChange({ outcome: filter.outcome === outcome ? "" : outcome })}
          >
            <OutcomeMark outcome={outcome} />
          </FilterChip>
        ))}
      </Flex>
      <FilterChoice label="Action" value={filter.action} none="any action" onChoose={(action) => onChange({ action })}>
        {actionChoices.map((name) => (
          <option key={name} value={`${name}.*`}>
            {name}.*
          </option>
        ))}
        {filter.action !== "" && !actionChoices.some((name) => filter.action === `${name}.*`) ? (
          <option value={filter.action}>{filter.action}</option>
        ) : null}
      </FilterChoice>
      <FilterChoice label="Time" value={filter.since} none="any time" onChoose={(since) => onChange({ since })}>
        {sinceChoices.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </FilterChoice>
      {filter.actor === "" ? null : <Named label="who" value={filter.actor} onClear={() => onChange({ actor: "" })} />}
      {filter.resource === "" ? null : <Named label="about" value={filter.resource} onClear={() => onChange({ resource: "" })} />}
    </FilterBar>
  );
}

function Named({ label, value, onClear }: { readonly label: string; readonly value: string; readonly onClear: () => void }) {
  return (
    <FilterChip pressed onClick={onClear} aria-label={`Do not filter by ${label}`} maxW="full">
      {label} {value.slice(0, 32)} <X aria-hidden />
    </FilterChip>
  );
}
