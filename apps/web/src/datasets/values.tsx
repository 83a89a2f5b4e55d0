import { chakra } from "@chakra-ui/react";

/** A value as it stands in a cell: one line of it. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value.length > 300 ? `${value.slice(0, 300)}…` : value;
  return JSON.stringify(value).slice(0, 300);
}

/** A value as it is, over several lines where it has them. */
export function wholeValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** The type of a column, as a word. */
export function TypeWord({ type }: { readonly type: string }) {
  return (
    <chakra.span fontSize="2xs" fontWeight="normal" color="fg.subtle" fontFamily="mono">
      {type}
    </chakra.span>
  );
}
