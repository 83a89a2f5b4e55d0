import { Flex, Input, Text } from "@chakra-ui/react";
import { logLevels, type LogLevel } from "@syla/contracts/log-levels";
import { logStreams } from "@syla/contracts/log-lines";
import { ArrowDown, ArrowUp, CaseSensitive, Clock, Regex, WrapText } from "lucide-react";
import type { KeyboardEvent, RefObject } from "react";
import { type Downloadable, DownloadButton } from "../download-button.tsx";
import { IconButton } from "../icon-button.tsx";
import { SelectField } from "../select-field.tsx";
import { isNarrowed, type LogFilter } from "./log-search.ts";

interface LogToolbarProps {
  readonly filter: LogFilter;
  readonly onFilter: (filter: LogFilter) => void;
  /** The nodes that have written lines. */
  readonly nodes: ReadonlySet<string>;
  readonly matchCount: number;
  /** There are lines that were not looked at yet. */
  readonly searching: boolean;
  /** What is wrong with the pattern. */
  readonly problem: string | null;
  /** Which match is shown, from 0. */
  readonly match: number;
  readonly onMatch: (match: number) => void;
  readonly times: boolean;
  readonly onTimes: (on: boolean) => void;
  readonly wrap: boolean;
  readonly onWrap: (on: boolean) => void;
  readonly download: Downloadable | null;
  readonly searchRef: RefObject<HTMLInputElement | null>;
}

/** Search, filters, timestamps, wrap, download. */
export function LogToolbar(props: LogToolbarProps) {
  return (
    <Flex align="center" gap="1" px="2" py="1" borderBottomWidth="1px" borderColor="border" bg="bg.panel" wrap="wrap" flexShrink="0">
      <LogSearchBox {...props} />
      <LogFilters {...props} />
      <Flex ml="auto">
        <ToggleButton label="Timestamps (UTC)" pressed={props.times} onPress={props.onTimes}>
          <Clock />
        </ToggleButton>
        <ToggleButton label="Wrap lines" pressed={props.wrap} onPress={props.onWrap}>
          <WrapText />
        </ToggleButton>
        {props.download ? (
          <DownloadButton label={isNarrowed(props.filter) ? "Download these lines" : "Download the whole log"} file={props.download} />
        ) : null}
      </Flex>
    </Flex>
  );
}

function LogFilters({ filter, onFilter, nodes }: Pick<LogToolbarProps, "filter" | "onFilter" | "nodes">) {
  return (
    <>
      <SelectField
        label="Output"
        size="xs"
        width="24"
        value={filter.stream}
        onChoose={(stream) => onFilter({ ...filter, stream: stream as LogFilter["stream"] })}
      >
        <option value="all">all output</option>
        {logStreams.map((stream) => (
          <option key={stream}>{stream}</option>
        ))}
      </SelectField>
      <SelectField
        label="Level"
        size="xs"
        width="28"
        value={filter.level ?? ""}
        onChoose={(level) => onFilter({ ...filter, level: level === "" ? undefined : (level as LogLevel) })}
      >
        <option value="">every level</option>
        {logLevels.map((level) => (
          <option key={level} value={level}>
            {level === "fatal" ? "fatal" : `${level} and up`}
          </option>
        ))}
      </SelectField>
      {nodes.size > 0 || filter.node !== undefined ? (
        <SelectField
          label="Node"
          size="xs"
          width="28"
          value={filter.node ?? ""}
          onChoose={(node) => onFilter({ ...filter, node: node === "" ? undefined : node })}
        >
          <option value="">every node</option>
          {[...new Set([...nodes, ...(filter.node === undefined ? [] : [filter.node])])].map((node) => (
            <option key={node}>{node}</option>
          ))}
        </SelectField>
      ) : null}
    </>
  );
}

function LogSearchBox({ filter, onFilter, matchCount, searching, problem, match, onMatch, searchRef }: LogToolbarProps) {
  const step = (by: number) => matchCount > 0 && onMatch((match + by + matchCount) % matchCount);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") onFilter({ ...filter, query: "" });
  };
  return (
    <Flex align="center" gap="1" flex="1 1 240px" maxW="440px">
      <Input
        ref={searchRef}
        type="search"
        size="xs"
        placeholder="Search the log"
        aria-label="Search the log"
        value={filter.query}
        onChange={(event) => onFilter({ ...filter, query: event.currentTarget.value })}
        onKeyDown={onKeyDown}
        aria-invalid={problem !== null || undefined}
      />
      <ToggleButton
        label="Match upper and lower case"
        pressed={filter.matchCase}
        onPress={(matchCase) => onFilter({ ...filter, matchCase })}
      >
        <CaseSensitive />
      </ToggleButton>
      <ToggleButton label="Regular expression" pressed={filter.regex} onPress={(regex) => onFilter({ ...filter, regex })}>
        <Regex />
      </ToggleButton>
      {filter.query ? (
        <>
          <Text fontSize="xs" color="fg.muted" whiteSpace="nowrap" role="status" minW="12" textAlign="right" title={problem ?? undefined}>
            {problem === null ? describeMatches(match, matchCount, searching) : "no pattern"}
          </Text>
          <IconButton label="Previous match" disabled={matchCount === 0} onClick={() => step(-1)}>
            <ArrowUp />
          </IconButton>
          <IconButton label="Next match" disabled={matchCount === 0} onClick={() => step(1)}>
            <ArrowDown />
          </IconButton>
        </>
      ) : null}
    </Flex>
  );
}

function describeMatches(match: number, count: number, searching: boolean): string {
  if (count === 0) return searching ? "…" : "no match";
  return `${match + 1} of ${count}${searching ? "…" : ""}`;
}

interface ToggleButtonProps {
  readonly label: string;
  readonly pressed: boolean;
  readonly onPress: (pressed: boolean) => void;
  readonly children: React.ReactNode;
}

function ToggleButton({ label, pressed, onPress, children }: ToggleButtonProps) {
  return (
    <IconButton
      label={label}
      aria-pressed={pressed}
      onClick={() => onPress(!pressed)}
      {...(pressed ? { bg: "bg.muted", color: "fg" } : {})}
    >
      {children}
    </IconButton>
  );
}
