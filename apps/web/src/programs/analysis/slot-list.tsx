import { Box, Grid, Text } from "@chakra-ui/react";
import type { AnalysedSlot } from "@syla/sdk";
import { Fragment } from "react";
import { FindingMark, FindingNote, FindingRow } from "./finding-row.tsx";
import type { ListProps } from "./findings.ts";

/** Slots with their signatures; those that cannot be called with the reason. */
export function SlotList({ items, isSelected, onSelect }: ListProps<AnalysedSlot>) {
  return items.map((slot) => (
    <FindingRow
      key={`${slot.file}:${slot.cell ?? ""}:${slot.line}:${slot.name}`}
      place={slot}
      selected={isSelected(slot)}
      onSelect={onSelect}
      title={<Signature slot={slot} />}
    >
      <Text fontSize="xs">
        {slot.callable ? (
          <FindingMark color="fg.success">Callable</FindingMark>
        ) : (
          <FindingMark color="fg.warning">Not callable</FindingMark>
        )}
        <Text as="span" color="fg.muted" overflowWrap="anywhere">
          {slot.reason ?? slot.qualifiedName}
        </Text>
      </Text>
      {slot.docstring ? <FindingNote>{slot.docstring.split("\n", 1)[0]}</FindingNote> : null}
      {isSelected(slot) ? <Arguments slot={slot} /> : null}
    </FindingRow>
  ));
}

function Signature({ slot }: { readonly slot: AnalysedSlot }) {
  const given = slot.arguments.map((argument) => argument.name).join(", ");
  return (
    <Text as="span" fontFamily="mono" fontSize="sm">
      {slot.kind === "async" ? (
        <Text as="span" color="fg.muted">
          async{" "}
        </Text>
      ) : null}
      <Text as="span" fontWeight="semibold">
        {slot.name}
      </Text>
      ({given}){slot.returns === null ? "" : ` → ${slot.returns}`}
    </Text>
  );
}

function Arguments({ slot }: { readonly slot: AnalysedSlot }) {
  if (slot.arguments.length === 0) return null;
  return (
    <Grid mt="2" templateColumns={{ base: "1fr", sm: "minmax(80px, auto) minmax(0, 1fr)" }} columnGap="4" rowGap="1" fontSize="xs">
      {slot.arguments.map((argument) => (
        <Fragment key={argument.name}>
          <Text as="span" fontFamily="mono">
            {argument.kind === "var-positional" ? "*" : argument.kind === "var-keyword" ? "**" : ""}
            {argument.name}
          </Text>
          <Box color="fg.muted" overflowWrap="anywhere">
            <Text as="span" fontFamily="mono">
              {argument.type ?? "no type"}
              {argument.default === null ? "" : ` = ${argument.default}`}
            </Text>
            {argument.kind === "keyword-only" ? ", keyword only" : ""}
            {argument.description === null ? "" : `: ${argument.description}`}
          </Box>
        </Fragment>
      ))}
    </Grid>
  );
}
