import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { SandboxContextEvent } from "@syla/sdk";
import { Play, RotateCw, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { syla } from "../../app/api.ts";
import { describeError } from "../../ui/describe-error.ts";
import { RichResult } from "./rich-result.tsx";

type Language = "python" | "javascript";

interface Cell {
  readonly number: number;
  readonly language: Language;
  readonly code: string;
  readonly events: readonly SandboxContextEvent[];
}

const titles: Readonly<Record<Language, string>> = { python: "Python", javascript: "JavaScript" };

interface ConsolePanelProps {
  readonly id: string;
  readonly language: string;
  /** Why nothing can be run now; null when it can. What was run stays in view. */
  readonly rest: string | null;
}

/** Interpreters that keep their variables: a cell after another, each with what it printed and what it was. */
export function ConsolePanel({ id, language: own, rest }: ConsolePanelProps) {
  const { contexts } = syla.sandboxes.open(id);
  const [language, setLanguage] = useState<Language>(own === "node" ? "javascript" : "python");
  const [cells, setCells] = useState<readonly Cell[]>([]);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: "nearest" });
  }, [cells]);
  const known = useRef(new Map<Language, Promise<string>>());
  const running = cells.some(({ events }) => events.at(-1)?.type !== "done");
  const add = (number: number, event: SandboxContextEvent) =>
    setCells((before) => before.map((cell) => (cell.number === number ? { ...cell, events: [...cell.events, event] } : cell)));

  const contextOf = (wanted: Language) => {
    const find = async () =>
      (await contexts.list()).find((context) => context.language === wanted)?.id ?? (await contexts.create(wanted)).id;
    const found = known.current.get(wanted) ?? find();
    known.current.set(wanted, found);
    found.catch(() => known.current.delete(wanted));
    return found;
  };
  const run = async (code: string) => {
    const number = cells.length + 1;
    setCells((before) => [...before, { number, language, code, events: [] }]);
    try {
      let last: SandboxContextEvent | undefined;
      for await (const event of contexts.run(await contextOf(language), code)) add(number, (last = event));
      if (last?.type === "done" && last.status === "lost") known.current.delete(language);
    } catch (error) {
      const { message } = describeError(error);
      known.current.delete(language);
      add(number, { type: "error", name: "Error", value: message, traceback: message });
      add(number, { type: "done", status: "error" });
    }
  };
  const steer = async (action: "interrupt" | "restart") => void (await contexts[action](await contextOf(language)).catch(() => undefined));

  return (
    <Flex direction="column" h="100%">
      <Box flex="1" minH="0" overflowY="auto" px={{ base: "4", md: "6" }} py="3" tabIndex={0} outlineOffset="-2px">
        {cells.length === 0 && rest === null ? (
          <Text color="fg.subtle">Variables stay from one cell to the next. Ctrl+Enter runs.</Text>
        ) : null}
        {cells.map((cell) => (
          <CellView key={cell.number} cell={cell} />
        ))}
        <div ref={end} />
      </Box>
      {/* Hidden, not gone: what is being written stays. */}
      <Box display={rest === null ? "block" : "none"}>
        <CellEditor language={language} running={running} onLanguage={setLanguage} onRun={(code) => void run(code)} onSteer={steer} />
      </Box>
      {rest === null ? null : (
        <Text px={{ base: "4", md: "6" }} py="3" color="fg.subtle">
          {rest}
        </Text>
      )}
    </Flex>
  );
}

interface CellEditorProps {
  readonly language: Language;
  readonly running: boolean;
  readonly onLanguage: (language: Language) => void;
  readonly onRun: (code: string) => void;
  readonly onSteer: (action: "interrupt" | "restart") => Promise<void>;
}

/** Where the next cell is written. */
function CellEditor({ language, running, onLanguage, onRun, onSteer }: CellEditorProps) {
  const [code, setCode] = useState("");
  const run = () => {
    if (code.trim() === "") return;
    onRun(code);
    setCode("");
  };
  return (
    <Flex direction="column" gap="2" px={{ base: "4", md: "6" }} py="3" borderTopWidth="1px" borderColor="border" bg="bg.subtle">
      <chakra.textarea
        aria-label={`${titles[language]} code`}
        rows={4}
        value={code}
        spellCheck={false}
        fontFamily="mono"
        fontSize="sm"
        p="2"
        bg="bg.panel"
        borderWidth="1px"
        borderColor="border"
        rounded="md"
        resize="vertical"
        onChange={(event) => setCode(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          run();
        }}
      />
      <Flex gap="2" wrap="wrap">
        <Flex role="group" aria-label="Language" gap="1">
          {(["python", "javascript"] as const).map((name) => (
            <Button
              key={name}
              size="xs"
              variant={language === name ? "subtle" : "ghost"}
              aria-pressed={language === name}
              onClick={() => onLanguage(name)}
            >
              {titles[name]}
            </Button>
          ))}
        </Flex>
        <Flex gap="2" ml="auto">
          <Button size="xs" variant="outline" onClick={() => void onSteer("restart")}>
            <RotateCw aria-hidden /> Restart
          </Button>
          {running ? (
            <Button size="xs" variant="outline" onClick={() => void onSteer("interrupt")}>
              <Square aria-hidden /> Interrupt
            </Button>
          ) : null}
          <Button size="xs" colorPalette="accent" onClick={run}>
            <Play aria-hidden /> Run
          </Button>
        </Flex>
      </Flex>
    </Flex>
  );
}

function CellView({ cell }: { readonly cell: Cell }) {
  const last = cell.events.at(-1);
  return (
    <Box mb="4" data-cell={cell.number}>
      <Flex gap="3" fontFamily="mono" fontSize="xs" bg="bg.muted" rounded="md" px="3" py="2">
        <Text color="fg.muted" flexShrink="0">
          {cell.language === "python" ? "py" : "js"} {cell.number}
        </Text>
        <Text as="pre" whiteSpace="pre-wrap" overflowWrap="anywhere" minW="0" fontFamily="mono">
          {cell.code}
        </Text>
      </Flex>
      <Box pl="3" borderLeftWidth="2px" borderColor="border" ml="2" mt="1">
        {cell.events.map((event, index) => (
          <EventView key={index} event={event} />
        ))}
        {last?.type === "done" ? null : (
          <Text fontSize="xs" color="fg.subtle">
            running…
          </Text>
        )}
      </Box>
    </Box>
  );
}

function EventView({ event }: { readonly event: SandboxContextEvent }) {
  switch (event.type) {
    case "output":
      return <Lines text={event.text} color={event.stream === "stderr" ? "fg.warning" : "fg"} />;
    case "error":
      return <Lines text={event.traceback} color="fg.error" />;
    case "display":
    case "result":
      return <RichResult data={event.data} omitted={event.omitted} />;
    case "done":
      return event.status === "lost" ? (
        <Lines text="The interpreter has ended; the next cell starts another one." color="fg.error" />
      ) : null;
  }
}

function Lines({ text, color }: { readonly text: string; readonly color: string }) {
  return (
    <Text as="pre" fontFamily="mono" fontSize="xs" color={color} whiteSpace="pre-wrap" overflowWrap="anywhere">
      {text}
    </Text>
  );
}
