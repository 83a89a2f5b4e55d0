import { useEffect, useRef } from "react";

interface EditorKeys {
  readonly onOpen: () => void;
  readonly onSearch: () => void;
}

/** Ctrl/Cmd+P opens a file, Ctrl/Cmd+Shift+F searches in all of them, instead of what the browser would do. */
export function useEditorKeys(keys: EditorKeys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === "p" && !event.shiftKey) latest.current.onOpen();
      else if (key === "f" && event.shiftKey) latest.current.onSearch();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    // Before CodeMirror, which has keys of its own.
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  }, []);
}
