import { type RefObject, useEffect } from "react";

/** What is seen of a page when the next one is shown. */
const pageShare = 0.9;

/** Home, End and the page keys scroll it while nothing on the page has the focus: the browser would scroll the window, which has nothing to scroll. */
export function useScrollKeys(box: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const element = box.current;
      const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
      if (element === null || !isPlain || event.defaultPrevented || document.activeElement !== document.body) return;
      const top = targetOf(event.key, element);
      if (top === null) return;
      event.preventDefault();
      element.scrollTo({ top });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [box]);
}

function targetOf(key: string, { scrollTop, scrollHeight, clientHeight }: HTMLElement): number | null {
  if (key === "Home") return 0;
  if (key === "End") return scrollHeight;
  if (key === "PageUp") return scrollTop - clientHeight * pageShare;
  return key === "PageDown" ? scrollTop + clientHeight * pageShare : null;
}
