import { Box, Button, chakra, Flex, Input, Text } from "@chakra-ui/react";
import type { FileMatch, FileSearchQuery, FoundFile, FoundFiles } from "@syla/sdk";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { formatPlural } from "../ui/format.ts";
import { ReplaceDialog } from "./replace-dialog.tsx";

/** Pages are put together up to so many lines; then whoever looks is asked to narrow it. */
const mostLines = 5000;

/** What is looked for. */
export interface SearchWish extends Pick<FileSearchQuery, "q" | "include" | "exclude"> {
  readonly regex: boolean;
  readonly matchCase: boolean;
  readonly wholeWord: boolean;
}

interface Found extends Pick<FoundFiles, "items" | "skipped" | "revision"> {
  readonly wish: SearchWish;
  readonly isWhole: boolean;
}

/** What replacing needs; null where nothing may be changed. */
export interface Replacing {
  /** The text of a file as it is now; null when it is none, or too large. */
  readonly textOf: (path: string, sha256: string) => Promise<string | null>;
  /** Writes all of them at once, over what was there at the revision. */
  readonly write: (texts: ReadonlyMap<string, string>, revision: number) => Promise<void>;
  /** There is something that is not saved, which was not looked through. */
  readonly hasEdits: boolean;
}

interface SearchPanelProps {
  readonly search: (query: FileSearchQuery, signal: AbortSignal) => Promise<FoundFiles>;
  readonly onOpen: (path: string, line: number, column: number) => void;
  readonly replacing: Replacing | null;
}

/** Typing is not searched for letter by letter, milliseconds. */
const settledMs = 400;

const nothing: SearchWish = { q: "", include: "", exclude: "", regex: false, matchCase: false, wholeWord: false };

/** Finds text in all files, and puts other text in its place. */
export function SearchPanel({ search, onOpen, replacing }: SearchPanelProps) {
  const [wish, setWish] = useState<SearchWish>(nothing);
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [replacement, setReplacement] = useState("");
  const [isReplacing, setReplacing] = useState(false);
  const running = useRef<AbortController | null>(null);
  const settling = useRef<number | undefined>(undefined);
  const run = async (now: SearchWish) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setError(null);
    setBusy(true);
    try {
      const result = await collect(search, now, controller.signal);
      if (!controller.signal.aborted) setFound(result);
    } catch (thrown) {
      if (!controller.signal.aborted) setError(thrown);
    } finally {
      if (running.current === controller) setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    clearTimeout(settling.current);
    if (wish.q !== "") void run(wish);
  };
  const change = (fields: Partial<SearchWish>) => {
    const next = { ...wish, ...fields };
    setWish(next);
    clearTimeout(settling.current);
    if (next.q !== "") settling.current = window.setTimeout(() => void run(next), settledMs);
  };
  useEffect(() => () => clearTimeout(settling.current), []);
  return (
    <Flex direction="column" h="100%" minH="0">
      <Flex as="form" role="search" aria-label="Search in files" onSubmit={onSubmit} direction="column" gap="1.5" p="2">
        <Field label="Search in files" value={wish.q} onChange={(q) => change({ q })} autoFocus />
        <Flex gap="1" wrap="wrap">
          <FilterChip pressed={wish.matchCase} onClick={() => change({ matchCase: !wish.matchCase })}>
            Match case
          </FilterChip>
          <FilterChip pressed={wish.wholeWord} onClick={() => change({ wholeWord: !wish.wholeWord })}>
            Whole word
          </FilterChip>
          <FilterChip pressed={wish.regex} onClick={() => change({ regex: !wish.regex })}>
            Pattern
          </FilterChip>
        </Flex>
        <Field label="Only these files (*.py, src/**)" value={wish.include ?? ""} onChange={(include) => change({ include })} />
        <Field label="Not these files" value={wish.exclude ?? ""} onChange={(exclude) => change({ exclude })} />
        <Button type="submit" size="xs" variant="outline" loading={busy} disabled={wish.q === ""}>
          Search
        </Button>
      </Flex>
      {replacing === null || found === null || found.items.length === 0 ? null : (
        <Flex direction="column" gap="1.5" px="2" pb="2">
          <Field label="Replace with, as it is written" value={replacement} onChange={setReplacement} />
          <Button size="xs" variant="outline" disabled={replacing.hasEdits || !found.isWhole} onClick={() => setReplacing(true)}>
            Replace …
          </Button>
          {replacing.hasEdits ? (
            <Text fontSize="xs" color="fg.muted">
              Save first: what is not saved was not looked through.
            </Text>
          ) : null}
        </Flex>
      )}
      {error ? <ErrorPanel error={error} /> : null}
      {found === null ? null : <Results found={found} onOpen={onOpen} />}
      {isReplacing && replacing !== null && found !== null ? (
        <ReplaceDialog
          files={found.items}
          wish={found.wish}
          replacement={replacement}
          textOf={replacing.textOf}
          onReplace={async (texts) => {
            await replacing.write(texts, found.revision);
            void run(found.wish);
          }}
          onClose={() => setReplacing(false)}
        />
      ) : null}
    </Flex>
  );
}

async function collect(search: SearchPanelProps["search"], wish: SearchWish, signal: AbortSignal): Promise<Found> {
  const items: FoundFile[] = [];
  let [after, skipped, lines, revision]: [string | undefined, number, number, number | null] = [undefined, 0, 0, null];
  do {
    const page: FoundFiles = await search({ ...wish, after }, signal);
    // Others have changed something in between: what the first page told is of other files.
    if (revision !== null && page.revision !== revision) return await collect(search, wish, signal);
    items.push(...page.items);
    revision = page.revision;
    skipped += page.skipped;
    lines += page.items.reduce((sum, file) => sum + file.lines.length, 0);
    after = page.nextAfter ?? undefined;
  } while (after !== undefined && lines < mostLines);
  return { items, skipped, revision: revision ?? 0, wish, isWhole: after === undefined };
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly autoFocus?: boolean;
}

function Field({ label, value, onChange, autoFocus = false }: FieldProps) {
  return (
    <Input
      size="xs"
      fontFamily="mono"
      bg="bg.panel"
      aria-label={label}
      placeholder={label}
      value={value}
      autoFocus={autoFocus}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Results({ found, onOpen }: { readonly found: Found; readonly onOpen: SearchPanelProps["onOpen"] }) {
  const lines = found.items.reduce((sum, { count }) => sum + count, 0);
  return (
    <Box flex="1" minH="0" overflowY="auto" role="region" aria-label="What was found" tabIndex={0} outlineOffset="-2px" fontSize="xs">
      <Text role="status" px="2" py="1" color="fg.muted">
        {lines === 0 ? "Nothing was found." : `${formatPlural(lines, "line")} in ${formatPlural(found.items.length, "file")}.`}
        {found.isWhole ? "" : " There are more: narrow it."}
        {found.skipped === 0 ? "" : ` ${formatPlural(found.skipped, "file")} not looked at: no text, or too large.`}
      </Text>
      {found.items.map((file) => (
        <Box key={file.path} pb="1">
          <Text px="2" fontFamily="mono" fontWeight="medium" overflowWrap="anywhere">
            {file.path}
          </Text>
          {file.lines.map((match) => (
            <Button
              key={match.line}
              display="flex"
              w="full"
              h="auto"
              py="0.5"
              px="2"
              size="2xs"
              variant="ghost"
              justifyContent="flex-start"
              fontWeight="normal"
              fontFamily="mono"
              rounded="0"
              onClick={() => onOpen(file.path, match.line, match.column)}
            >
              <chakra.span color="fg.subtle" minW="8" mr="1" textAlign="right" flexShrink="0">
                {match.line}
              </chakra.span>
              <chakra.span truncate whiteSpace="pre">
                {marked(match)}
              </chakra.span>
            </Button>
          ))}
          {file.count > file.lines.length ? (
            <Text px="2" color="fg.muted">
              {formatPlural(file.count - file.lines.length, "more line")}
            </Text>
          ) : null}
        </Box>
      ))}
    </Box>
  );
}

function marked({ text, matches }: FileMatch): ReactNode[] {
  const parts: ReactNode[] = [];
  let from = 0;
  for (const [begin, end] of matches) {
    parts.push(
      from === 0 ? text.slice(0, begin).trimStart() : text.slice(from, begin),
      <chakra.mark key={begin} bg="accent.muted" color="fg">
        {text.slice(begin, end)}
      </chakra.mark>,
    );
    from = end;
  }
  return [...parts, text.slice(from)];
}
