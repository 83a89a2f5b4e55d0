import { useEffect, useRef } from "react";

interface EditorKeys {
  readonly onOpen: () => void;
  readonly onSearch: () => void;
  readonly onProblems: () => void;
  readonly onTerminal: () => void;
  readonly onFormat: () => void;
  readonly onRun: () => void;
}

/** The keys that editors have, instead of what the browser would do: by modifiers and the key's place, whatever its letter is with them. */
const combinations: Readonly<Record<string, keyof EditorKeys>> = {
  "mod+KeyP": "onOpen",
  "mod+shift+KeyF": "onSearch",
  "mod+shift+KeyM": "onProblems",
  "mod+Backquote": "onTerminal",
  "shift+alt+KeyF": "onFormat",
  "mod+Enter": "onRun",
};

/** Ctrl/Cmd+P opens a file, Ctrl/Cmd+Shift+F searches in all of them, Ctrl/Cmd+Shift+M shows problems, Ctrl/Cmd+` a terminal, Shift+Alt+F formats, Ctrl/Cmd+Enter runs. */
export function useEditorKeys(keys: Partial<EditorKeys>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const held = [event.ctrlKey || event.metaKey ? "mod" : "", event.shiftKey ? "shift" : "", event.altKey ? "alt" : ""];
      const name = combinations[[...held.filter((word) => word !== ""), event.code].join("+")];
      const act = name === undefined ? undefined : latest.current[name];
      // A shell has keys of its own: only the way out of it is taken.
      const isInTerminal = event.target instanceof HTMLElement && event.target.closest(".xterm") !== null;
      if (act === undefined || (isInTerminal && name !== "onTerminal")) return;
      event.preventDefault();
      event.stopPropagation();
      if (document.querySelector("dialog[open]") === null) act();
    };
    // Before CodeMirror, which has keys of its own.
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  }, []);
}
