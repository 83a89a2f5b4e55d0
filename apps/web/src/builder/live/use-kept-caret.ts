import { type SyntheticEvent, useCallback, useLayoutEffect, useRef } from "react";

type TextControl = HTMLInputElement | HTMLTextAreaElement;

/** Keeps the caret of a field where it is in the text when somebody else writes in the same field. @returns what the field is given */
export function useKeptCaret(value: string) {
  const field = useRef<TextControl | null>(null);
  const known = useRef({ text: value, start: 0, end: 0 });
  useLayoutEffect(() => {
    const { text, start, end } = known.current;
    if (text === value) return;
    known.current = { text: value, start: placeIn(text, value, start), end: placeIn(text, value, end) };
    if (field.current !== null && document.activeElement === field.current)
      field.current.setSelectionRange(known.current.start, known.current.end);
  }, [value]);
  const note = ({ currentTarget: { value: text, selectionStart, selectionEnd } }: SyntheticEvent<TextControl>) => {
    known.current = { text, start: selectionStart ?? text.length, end: selectionEnd ?? text.length };
  };
  const ref = useCallback((element: TextControl | null) => {
    field.current = element;
  }, []);
  return { ref, onSelect: note, onInput: note };
}

/** Where a place of a text is in another one, which was made of it by one change. */
function placeIn(before: string, after: string, place: number): number {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  if (place <= start) return place;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return Math.max(start, place >= before.length - end ? place + after.length - before.length : start);
}
