import { type DragEvent, useEffect, useRef } from "react";
import { readDropped, type PickedFile } from "./upload-files.ts";

/** Takes files that are dropped. */
export function dropTarget(enabled: boolean, onPicked: (picked: readonly PickedFile[]) => void) {
  if (!enabled) return {};
  return {
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      void readDropped(event.dataTransfer).then(onPicked);
    },
  };
}

/** Ctrl/Cmd+S saves, instead of what the browser would do. */
export function useSaveKey(save: () => void, enabled: boolean): void {
  const latest = useRef(save);
  useEffect(() => {
    latest.current = save;
  });
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [enabled]);
}

/** The browser asks before what is not saved is lost. */
export function useUnsavedWarning(unsaved: boolean): void {
  useEffect(() => {
    if (!unsaved) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [unsaved]);
}
