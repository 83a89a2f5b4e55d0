import { Box, chakra, Text } from "@chakra-ui/react";
import type { FlowNode } from "@syla/contracts/flow";
import { changedLines } from "./changed-lines.ts";

/** So many lines of each side are shown. */
const mostLines = 12;

interface ChangedValuesProps {
  readonly before: FlowNode;
  readonly after: FlowNode;
  /** As a difference of graphs names them. */
  readonly fields: readonly string[];
}

/** What the fields of a node were, and what they are: of longer texts the lines that differ. */
export function ChangedValues({ before, after, fields }: ChangedValuesProps) {
  return fields.map((field) => {
    const { removed, added } = changedLines(textOf(before, field), textOf(after, field));
    return (
      <Box key={field} mt="1" fontSize="xs">
        {fields.length === 1 ? null : (
          <Text as="span" color="fg.muted">
            {field.replace(/^config\./, "")}
          </Text>
        )}
        <Lines lines={removed} as="del" />
        <Lines lines={added} as="ins" />
      </Box>
    );
  });
}

function Lines({ lines, as }: { readonly lines: readonly string[]; readonly as: "del" | "ins" }) {
  const [sign, color, bg] = as === "del" ? ["−", "fg.error", "bg.error"] : ["+", "fg.success", "bg.success"];
  const more = lines.length - mostLines;
  if (lines.length === 0) return null;
  return (
    <Box fontFamily="mono" bg={bg} rounded="sm" px="1" whiteSpace="pre-wrap" overflowWrap="anywhere">
      {lines.slice(0, mostLines).map((line, index) => (
        <chakra.div key={index} display="grid" gridTemplateColumns="1.5ch 1fr">
          <chakra.span color={color} aria-hidden>
            {sign}
          </chakra.span>
          <chakra.span as={as} textDecoration="none">
            {line}
          </chakra.span>
        </chakra.div>
      ))}
      {more > 0 ? <chakra.span color="fg.muted">{`and ${more} more ${more === 1 ? "line" : "lines"}`}</chakra.span> : null}
    </Box>
  );
}

/** A field of a node as a text; nothing when it has none. */
function textOf(node: FlowNode, field: string): string {
  const name = field.replace(/^config\./, "");
  const from = (field.startsWith("config.") ? node.config : node) as Readonly<Record<string, unknown>>;
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  if (value === undefined || value === "") return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, typeof value === "object" ? 2 : 0);
}
