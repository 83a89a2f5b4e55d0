import { Button, Flex, Input, NativeSelect } from "@chakra-ui/react";
import type { RunStatus } from "@syla/sdk";
import { CirclePlay, Users, X } from "lucide-react";
import { useEffect, useState } from "react";
import { FilterChip } from "../../ui/filter-chip.tsx";
import { StatusIcon, statusLooks } from "../../ui/status-badge.tsx";
import { useRuntimes } from "../queries.ts";
import { isFiltered, type RunListFilter, sinceChoices } from "./run-filter.ts";

const statuses: readonly RunStatus[] = ["queued", "running", "succeeded", "failed", "timed_out", "cancelled"];

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
    <Flex gap="2" wrap="wrap" align="center" pb="3">
      <SearchBox q={filter.q} onSearch={(q) => onChange((before) => ({ ...before, q }))} />
      <FilterChip pressed={filter.shared} onClick={() => onChange((before) => ({ ...before, shared: !before.shared }))}>
        <span aria-hidden>
          <Users size={14} />
        </span>
        Shared with me
      </FilterChip>
      <Flex role="group" aria-label="Status" gap="1.5" wrap="wrap">
        {statuses.map((status) => (
          <FilterChip key={status} pressed={filter.statuses.includes(status)} onClick={() => toggle(status)}>
            <span aria-hidden>{status === "running" ? <CirclePlay size={16} /> : <StatusIcon status={status} />}</span>
            {statusLooks[status].label}
          </FilterChip>
        ))}
      </Flex>
      <Flex gap="2" wrap="wrap">
        <Choice
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
        </Choice>
        <Choice label="Time" value={filter.since} onChoose={(since) => onChange((before) => ({ ...before, since }))} none="any time">
          {sinceChoices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </Choice>
      </Flex>
      {isFiltered(filter) ? (
        <Button
          size="2xs"
          h="7"
          variant="ghost"
          color="fg.muted"
          onClick={() => onChange(() => ({ statuses: [], language: "", since: "", q: "", shared: false }))}
        >
          <X aria-hidden /> Clear
        </Button>
      ) : null}
    </Flex>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly none: string;
  readonly onChoose: (value: string) => void;
  readonly children: React.ReactNode;
}

function Choice({ label, value, none, onChoose, children }: ChoiceProps) {
  return (
    <NativeSelect.Root size="xs" w="auto" maxW="32">
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
      w={{ base: "full", sm: "176px" }}
      placeholder="Search id or entrypoint"
      aria-label="Search runs"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
