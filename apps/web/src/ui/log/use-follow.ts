import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Nearer than this to the end counts as being at the end. */
const nearPx = 24;

/**
 * Keeps a scrolled box at its end while content arrives. Scrolling up by hand lets go; scrolling to the end, or `jump`, takes hold again.
 * `size` is anything that changes when content is added.
 */
export function useFollow(box: RefObject<HTMLElement | null>, size: number, initially: boolean) {
  const [following, setFollowing] = useState(initially);
  const lastTop = useRef(0);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const onScroll = () => {
      const rest = element.scrollHeight - element.scrollTop - element.clientHeight;
      if (rest <= nearPx) setFollowing(true);
      else if (element.scrollTop < lastTop.current - 1) setFollowing(false);
      lastTop.current = element.scrollTop;
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [box]);

  useLayoutEffect(() => {
    const element = box.current;
    if (following && element) element.scrollTop = element.scrollHeight;
  }, [box, following, size]);

  return { following, release: () => setFollowing(false), jump: () => setFollowing(true) };
}
