import { useEffect, useRef } from "react";
import { useStoredFlag } from "../ui/use-stored-flag.ts";
import { places } from "./navigation.ts";

/** A shortcut as the list shows it. Sequences (`g` then `r`) have two keys; `mod` is Ctrl or Cmd. */
export interface Shortcut {
  readonly keys: readonly string[];
  readonly label: string;
}

/** All shortcuts, in groups; the `?` list shows this table. */
export const shortcutGroups: readonly { readonly title: string; readonly shortcuts: readonly Shortcut[] }[] = [
  {
    title: "Anywhere",
    shortcuts: [
      { keys: ["mod", "k"], label: "Find a page, a run or a command" },
      { keys: ["["], label: "Collapse the sidebar" },
      { keys: ["?"], label: "This list" },
    ],
  },
  {
    title: "Go to",
    shortcuts: places.map(({ keys, label, adminOnly }) => ({ keys, label: adminOnly === true ? `${label} (administrators)` : label })),
  },
  {
    title: "New run",
    shortcuts: [
      { keys: ["mod", "enter"], label: "Run" },
      { keys: ["escape"], label: "Leave the editor (Tab then moves on)" },
    ],
  },
  {
    title: "A run",
    shortcuts: [
      { keys: ["."], label: "Next tab" },
      { keys: [","], label: "Previous tab" },
    ],
  },
  {
    title: "The graph of a composition",
    shortcuts: [
      { keys: ["tab"], label: "Find a node to add (Escape, then Tab: leave the canvas)" },
      { keys: ["c"], label: "Connect the node" },
      { keys: ["enter"], label: "Edit the node" },
      { keys: ["o"], label: "Open the graph within (U: back out)" },
      { keys: ["mod", "f"], label: "Find a node that is there" },
      { keys: ["arrows"], label: "To the nearest node (Shift: move what is chosen)" },
      { keys: ["mod", "c"], label: "Copy what is chosen (X: cut, V: paste, Shift+V: with the wires that led there)" },
      { keys: ["mod", "d"], label: "Duplicate what is chosen" },
      { keys: ["mod", "g"], label: "Group in a frame (Shift: collapse to a module, Shift+E: expand)" },
      { keys: ["mod", "z"], label: "Undo (Shift: redo)" },
      { keys: ["shift", "t"], label: "Tidy" },
      { keys: ["shift", "1"], label: "Show all of it" },
      { keys: ["m"], label: "Make a module of its own" },
      { keys: ["b"], label: "Bypass" },
      { keys: ["mod", "enter"], label: "Run (Shift: to the node that is chosen)" },
    ],
  },
  {
    title: "Log",
    shortcuts: [
      { keys: ["/"], label: "Search the log that has the focus" },
      { keys: ["enter"], label: "Next match (Shift: previous)" },
    ],
  },
];

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select, [role=textbox]"));
}

/** Names a key press: `mod+k`, `?`, `g r` (when `g` came just before). */
function nameKey(event: KeyboardEvent, prefix: string): string {
  const mod = event.metaKey || event.ctrlKey;
  return `${mod ? "mod+" : ""}${prefix}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
}

/** Single keys can be switched off: they get in the way of speech input (WCAG 2.1.4). */
export function useSingleKeys(): readonly [boolean, (on: boolean) => void] {
  return useStoredFlag("syla.single-keys", true);
}

/** Runs the action of a shortcut: keys are `mod+k`, `n`, `g r`. */
export function useShortcuts(actions: Readonly<Record<string, () => void>>, singleKeys: boolean): void {
  const current = useRef(actions);
  useEffect(() => {
    current.current = actions;
  });
  useEffect(() => {
    let prefix = "";
    const onKeyDown = (event: KeyboardEvent) => {
      const mod = event.metaKey || event.ctrlKey;
      if (
        event.altKey ||
        event.defaultPrevented ||
        (!mod && (!singleKeys || isTyping(event.target) || document.querySelector("dialog[open]")))
      )
        return;
      const action = current.current[nameKey(event, prefix)];
      prefix = !mod && prefix === "" && event.key === "g" ? "g " : "";
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [singleKeys]);
}
