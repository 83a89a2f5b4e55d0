import { useEffect, useRef } from "react";
import { useSearchParams } from "react-router";
import { changedSearch } from "../../editor/use-place.ts";
import type { Other } from "./live-session.ts";
import { useLiveSession } from "./use-live-session.ts";

/** Whom the viewer goes after, which is in the address; and begins and ends that. */
export function useFollow(): { readonly followed: Other | null; readonly follow: (key: string | null) => void } {
  const { live } = useLiveSession();
  const [search, setSearch] = useSearchParams();
  const key = search.get("follow");
  const followed = live.others.find((other) => other.key === key) ?? null;
  return { followed, follow: (next) => setSearch((before) => changedSearch(before, { follow: next }), { replace: true }) };
}

/** Shows the file that somebody is in, whenever that is another one. */
export function useGoAfter(followed: Other | null): void {
  const [, setSearch] = useSearchParams();
  const target = followed?.path ?? null;
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (target === shown.current) return;
    shown.current = target;
    if (target === null) return;
    const place = { file: target, line: null, column: null, tab: null, version: null };
    setSearch((before) => changedSearch(before, place), { replace: true });
  }, [target, setSearch]);
}

/** Keys that do nothing alone. */
const modifiers = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"]);

/** What tells that whoever watched begins to write, point or scroll themselves. */
export function ownActs(onAct: () => void) {
  return {
    onWheelCapture: onAct,
    onTouchMoveCapture: onAct,
    onPointerDownCapture: onAct,
    onPasteCapture: onAct,
    onKeyDownCapture: ({ key }: { readonly key: string }) => {
      if (!modifiers.has(key)) onAct();
    },
  };
}
