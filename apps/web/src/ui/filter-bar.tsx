import { Button, Flex, Input, NativeSelect } from "@chakra-ui/react";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

interface FilterBarProps {
  readonly children: ReactNode;
  /** Left out while nothing is filtered. */
  readonly onClear?: (() => void) | undefined;
}

/** The row of filters over a list. */
export function FilterBar({ children, onClear }: FilterBarProps) {
  return (
    <Flex gap="2" wrap="wrap" align="center" pb="3">
      {children}
      {onClear ? (
        <Button size="2xs" h="7" variant="ghost" color="fg.muted" onClick={onClear}>
          <X aria-hidden /> Clear
        </Button>
      ) : null}
    </Flex>
  );
}

interface FilterChoiceProps {
  readonly label: string;
  readonly value: string;
  /** What it says while nothing is chosen. */
  readonly none: string;
  readonly onChoose: (value: string) => void;
  /** The other options. */
  readonly children: ReactNode;
}

/** One of a few, or any. */
export function FilterChoice({ label, value, none, onChoose, children }: FilterChoiceProps) {
  return (
    <NativeSelect.Root size="xs" w="auto" maxW="40">
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

/** How long typing has to pause before it is searched for, milliseconds. */
const pauseMs = 200;

interface FilterSearchProps {
  readonly label: string;
  readonly placeholder: string;
  readonly q: string;
  readonly onSearch: (q: string) => void;
  readonly width?: string;
}

/** Searches for what is typed, when typing pauses. */
export function FilterSearch({ label, placeholder, q, onSearch, width = "208px" }: FilterSearchProps) {
  const [text, setText] = useState(q);
  useEffect(() => setText(q), [q]);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => onSearch(text), pauseMs);
    return () => clearTimeout(timer);
    // Typing restarts the pause; the callback is new on every render.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [text]);
  return (
    <Input
      type="search"
      size="xs"
      w={{ base: "full", sm: width }}
      placeholder={placeholder}
      aria-label={label}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
