import { Button, Flex, Input, NativeSelect } from "@chakra-ui/react";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
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
    <Flex gap="2" wrap="wrap" align="center" pb="3">
      <SearchBox q={filter.q} onSearch={(q) => onChange({ q })} />
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
      <Choice label="Action" value={filter.action} none="any action" onChoose={(action) => onChange({ action })}>
        {actionChoices.map((name) => (
          <option key={name} value={`${name}.*`}>
            {name}.*
          </option>
        ))}
        {filter.action !== "" && !actionChoices.some((name) => filter.action === `${name}.*`) ? (
          <option value={filter.action}>{filter.action}</option>
        ) : null}
      </Choice>
      <Choice label="Time" value={filter.since} none="any time" onChoose={(since) => onChange({ since })}>
        {sinceChoices.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Choice>
      {filter.actor === "" ? null : <Named label="who" value={filter.actor} onClear={() => onChange({ actor: "" })} />}
      {filter.resource === "" ? null : <Named label="about" value={filter.resource} onClear={() => onChange({ resource: "" })} />}
      {writeAuditFilter(filter).size > 0 ? (
        <Button size="2xs" h="7" variant="ghost" color="fg.muted" onClick={() => onChange(noAuditFilter)}>
          <X aria-hidden /> Clear
        </Button>
      ) : null}
    </Flex>
  );
}

function Named({ label, value, onClear }: { readonly label: string; readonly value: string; readonly onClear: () => void }) {
  return (
    <FilterChip pressed onClick={onClear} aria-label={`Do not filter by ${label}`} maxW="full">
      {label} {value.slice(0, 32)} <X aria-hidden />
    </FilterChip>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly none: string;
  readonly onChoose: (value: string) => void;
  readonly children: ReactNode;
}

function Choice({ label, value, none, onChoose, children }: ChoiceProps) {
  return (
    <NativeSelect.Root size="xs" w="auto" maxW="36">
      <NativeSelect.Field
        aria-label={label}
        value={value}
        onChange={(event) => onChoose(event.currentTarget.value)}
        h="7"
        rounded="full"
        color={value ? "accent.fg" : "fg.muted"}
        bg={value ? "accent.subtle" : "transparent"}
        borderColor={value ? "accent.border" : "border"}
      >
        <option value="">{none}</option>
        {children}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

function SearchBox({ q, onSearch }: { readonly q: string; readonly onSearch: (q: string) => void }) {
  const [text, setText] = useState(q);
  useEffect(() => setText(q), [q]);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => onSearch(text), 200);
    return () => clearTimeout(timer);
    // Typing restarts the pause; the callback is new on every render.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [text]);
  return (
    <Input
      type="search"
      size="xs"
      w={{ base: "full", sm: "208px" }}
      placeholder="Search name, action, id, address"
      aria-label="Search the audit trail"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
