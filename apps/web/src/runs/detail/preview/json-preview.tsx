import { Box, Button, chakra, Flex } from "@chakra-ui/react";
import { ChevronDown, ChevronRight } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { CodeView } from "../../../ui/code-view.tsx";
import { formatCount } from "../../../ui/format.ts";
import { readJson } from "./read-json.ts";

const childrenAtOnce = 100;
const mostTextLength = 2000;

interface JsonPreviewProps {
  readonly text: string;
  readonly label: string;
}

/** A JSON document as a tree. What is folded is not drawn, and of a long list only a part at once. */
export function JsonPreview({ text, label }: JsonPreviewProps) {
  const document = useMemo(() => readJson(text), [text]);
  if (document === null) return <CodeView text={text} label={label} />;
  return (
    <Box
      role="region"
      aria-label={label}
      tabIndex={0}
      overflow="auto"
      maxH="480px"
      p="3"
      fontFamily="mono"
      fontSize="xs"
      outlineOffset="-2px"
    >
      <Node name={null} value={document.value} depth={0} />
    </Box>
  );
}

interface NodeProps {
  readonly name: string | null;
  readonly value: unknown;
  readonly depth: number;
}

function Node({ name, value, depth }: NodeProps) {
  const entries = useMemo(() => entriesOf(value), [value]);
  const [open, setOpen] = useState(depth < 2);
  const [shown, setShown] = useState(childrenAtOnce);
  if (entries === null) {
    return (
      <Box pl="5" whiteSpace="pre-wrap" overflowWrap="anywhere" lineHeight="20px">
        <Name name={name} />
        <Leaf value={value} />
      </Box>
    );
  }
  const [opening, closing] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <Box>
      <Flex
        as="button"
        aria-expanded={open}
        align="flex-start"
        textAlign="left"
        lineHeight="20px"
        cursor="pointer"
        onClick={() => setOpen(!open)}
      >
        <Box as="span" w="5" h="5" flexShrink="0" display="inline-flex" alignItems="center" justifyContent="center" color="fg.subtle">
          <Icon size={12} aria-hidden />
        </Box>
        <span>
          <Name name={name} />
          {open ? opening : `${opening} … ${closing}`}
          <Dim> {formatCount(entries.length)}</Dim>
        </span>
      </Flex>
      {open ? (
        <Box pl="4" borderLeftWidth="1px" borderColor="border.muted" ml="2">
          {entries.slice(0, shown).map(([key, child]) => (
            <Node key={key} name={Array.isArray(value) ? null : key} value={child} depth={depth + 1} />
          ))}
          {entries.length > shown ? (
            <Button size="2xs" variant="ghost" ml="5" onClick={() => setShown(shown + childrenAtOnce * 5)}>
              {formatCount(entries.length - shown)} more
            </Button>
          ) : null}
        </Box>
      ) : null}
      {open ? <Box pl="5">{closing}</Box> : null}
    </Box>
  );
}

function Dim({ children }: { readonly children: ReactNode }) {
  return (
    <chakra.span color="fg.subtle" userSelect="none">
      {children}
    </chakra.span>
  );
}

function Name({ name }: { readonly name: string | null }) {
  if (name === null) return null;
  return (
    <>
      <chakra.span fontWeight="medium">{JSON.stringify(name)}</chakra.span>
      {": "}
    </>
  );
}

function Leaf({ value }: { readonly value: unknown }) {
  const text = JSON.stringify(value);
  const color = typeof value === "string" ? "fg.success" : typeof value === "number" ? "fg.info" : "fg.muted";
  return <chakra.span color={color}>{text.length > mostTextLength ? `${text.slice(0, mostTextLength)}…` : text}</chakra.span>;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | null {
  return typeof value === "object" && value !== null ? Object.entries(value) : null;
}
