import { Flex, Input, NativeSelect, Text } from "@chakra-ui/react";
import { ArrowDown, ArrowUp, Clock, WrapText } from "lucide-react";
import type { KeyboardEvent, RefObject } from "react";
import { type Downloadable, DownloadButton } from "../download-button.tsx";
import { IconButton } from "../icon-button.tsx";
import type { LogFilter } from "./log-search.ts";

interface LogToolbarProps {
  readonly filter: LogFilter;
  readonly onFilter: (filter: LogFilter) => void;
  readonly matchCount: number;
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

/** Search, stream, timestamps, wrap, download. */
export function LogToolbar(props: LogToolbarProps) {
  const { filter, onFilter } = props;
  return (
    <Flex align="center" gap="1" px="2" py="1" borderBottomWidth="1px" borderColor="border" bg="bg.panel" wrap="wrap" flexShrink="0">
      <LogSearchBox {...props} />
      <NativeSelect.Root size="xs" w="24" flexShrink="0">
        <NativeSelect.Field
          aria-label="Output"
          value={filter.stream}
          onChange={(event) => onFilter({ ...filter, stream: event.currentTarget.value as LogFilter["stream"] })}
          borderColor="border"
        >
          <option value="all">all output</option>
          <option value="stdout">stdout</option>
          <option value="stderr">stderr</option>
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
      <Flex ml="auto">
        <ToggleButton label="Timestamps (UTC)" pressed={props.times} onPress={props.onTimes}>
          <Clock />
        </ToggleButton>
        <ToggleButton label="Wrap lines" pressed={props.wrap} onPress={props.onWrap}>
          <WrapText />
        </ToggleButton>
        {props.download ? <DownloadButton label="Download the whole log" file={props.download} /> : null}
      </Flex>
    </Flex>
  );
}

function LogSearchBox({ filter, onFilter, matchCount, match, onMatch, searchRef }: LogToolbarProps) {
  const step = (by: number) => matchCount > 0 && onMatch((match + by + matchCount) % matchCount);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") onFilter({ ...filter, query: "" });
  };
  return (
    <Flex align="center" gap="1" flex="1 1 160px" maxW="360px">
      <Input
        ref={searchRef}
        type="search"
        size="xs"
        placeholder="Search the log"
        aria-label="Search the log"
        value={filter.query}
        onChange={(event) => onFilter({ ...filter, query: event.currentTarget.value })}
        onKeyDown={onKeyDown}
      />
      {filter.query ? (
        <>
          <Text fontSize="xs" color="fg.muted" whiteSpace="nowrap" role="status" minW="12" textAlign="right">
            {matchCount === 0 ? "no match" : `${match + 1} of ${matchCount}`}
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
