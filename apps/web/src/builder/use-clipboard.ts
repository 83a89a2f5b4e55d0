import { useEffect, useRef } from "react";
import { shownBody, useBuilderStore } from "./builder-store.ts";
import { readClip, writeClip } from "./edits/exchange.ts";
import type { Point } from "./edits/move.ts";
import { cornerOf, paste } from "./edits/paste.ts";
import { remove } from "./edits/remove.ts";

/** Whether something is written into. */
export function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select, [role=textbox]"));
}

/**
 * Copies, cuts and pastes nodes by the system's clipboard: between compositions and windows as well. Plain paste leaves off the wires that led
 * to what was copied, with Shift they stay.
 */
export function useClipboard(root: { current: HTMLElement | null }, placeFor: () => Point, onNotice: (text: string) => void): void {
  const store = useBuilderStore();
  const latest = useRef({ placeFor, onNotice });
  useEffect(() => {
    latest.current = { placeFor, onNotice };
  });
  useEffect(() => {
    let keepsWires = false;
    const isOurs = (event: Event) => {
      const focused = document.activeElement;
      const isHere = focused === document.body || (root.current?.contains(focused) ?? false);
      return isHere && !isField(event.target) && !isField(focused) && document.querySelector("dialog[open]") === null;
    };
    const take = (event: ClipboardEvent): boolean => {
      const { selection } = store.get();
      if (!isOurs(event) || selection.nodes.size === 0 || (document.getSelection()?.toString() ?? "") !== "") return false;
      event.clipboardData?.setData("text/plain", writeClip(shownBody(store.get()), selection.nodes));
      event.preventDefault();
      return true;
    };
    const onCopy = (event: ClipboardEvent) => void take(event);
    const onCut = (event: ClipboardEvent) => {
      if (store.get().isReadOnly || !take(event)) return;
      store.edit((body) => remove(body, store.get().selection.nodes));
    };
    const onPaste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (!isOurs(event) || text === "" || store.get().isReadOnly) return;
      event.preventDefault();
      const { found, problem } = readClip(text);
      if (found === undefined) return latest.current.onNotice(`Nothing was pasted. ${problem}`);
      if (found.nodes.length === 0) return;
      const [corner, at] = [cornerOf(found), latest.current.placeFor()];
      const added = paste(shownBody(store.get()), found, { x: at.x - corner.x, y: at.y - corner.y }, keepsWires);
      store.edit(() => added.body, { select: added.ids });
    };
    const onKey = (event: KeyboardEvent) => {
      keepsWires = event.shiftKey;
    };
    const listeners = { copy: onCopy, cut: onCut, paste: onPaste, keydown: onKey };
    for (const [name, listen] of Object.entries(listeners)) document.addEventListener(name, listen as EventListener);
    return () => {
      for (const [name, listen] of Object.entries(listeners)) document.removeEventListener(name, listen as EventListener);
    };
  }, [store, root]);
}
