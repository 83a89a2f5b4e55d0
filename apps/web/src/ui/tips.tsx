import { chakra } from "@chakra-ui/react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";

const openMs = 350;
/** Pixels: between the text and what it is for, and between the text and the window's edge. */
const gap = 6;
const tipId = "tip";

interface Tip {
  readonly anchor: HTMLElement;
  readonly text: string;
}

/**
 * Shows the text of `data-tip` beside the element that has it, while that is hovered or focused from the keyboard. There is one for all
 * pages, in the browser's own top layer: over dialogs as well. An element that cannot take focus must say its text elsewhere too.
 */
export function Tips() {
  const [tip, setTip] = useState<Tip | null>(null);
  useEffect(() => watchAnchors(setTip), []);
  return tip === null ? null : <Bubble {...tip} onGone={() => setTip(null)} />;
}

/** Tells what is hovered or focused, as it changes; null when its text is to go. */
function watchAnchors(show: (tip: Tip | null) => void): () => void {
  const stop = new AbortController();
  let anchor: HTMLElement | null = null;
  let timer: number | undefined;
  let isTabbing = false;
  const dismiss = () => {
    window.clearTimeout(timer);
    show(null);
  };
  const turnTo = (next: HTMLElement | null, afterMs: number) => {
    if (next === anchor) return;
    dismiss();
    anchor = next;
    if (next === null) return;
    timer = window.setTimeout(() => {
      if (next.isConnected) show({ anchor: next, text: next.dataset["tip"] ?? "" });
    }, afterMs);
  };
  const on = <Name extends keyof DocumentEventMap>(name: Name, listen: (event: DocumentEventMap[Name]) => void) =>
    document.addEventListener(name, listen, { signal: stop.signal, capture: true });
  on("pointerover", (event) => {
    if (event.pointerType !== "touch") turnTo(anchorOf(event.target), openMs);
  });
  on("pointerout", (event) => {
    if (event.relatedTarget === null) turnTo(null, 0);
  });
  on("focusin", ({ target }) => {
    if (!isTabbing || !(target instanceof Element)) return; // a page that gives the focus away, as a dialog that opens, says nothing
    turnTo(null, 0); // it may be hovered as well
    turnTo(anchorOf(target), 0);
  });
  on("focusout", () => turnTo(null, 0));
  on("keydown", ({ key }) => {
    isTabbing = key === "Tab";
    dismiss();
  });
  on("pointerdown", () => {
    isTabbing = false;
    dismiss();
  });
  on("scroll", dismiss);
  return () => {
    stop.abort();
    dismiss();
  };
}

function anchorOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
}

function Bubble({ anchor, text, onGone }: Tip & { readonly onGone: () => void }) {
  const bubble = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = bubble.current;
    if (element === null) return;
    element.showPopover();
    Object.assign(element.style, placeBeside(anchor.getBoundingClientRect(), element.getBoundingClientRect()));
    if (anchor.getAttribute("aria-label") !== text) anchor.setAttribute("aria-describedby", tipId);
    const observer = new MutationObserver(() => {
      if (!anchor.isConnected) onGone();
    });
    observer.observe(document.body, { childList: true, subtree: true });
    return () => {
      observer.disconnect();
      if (anchor.getAttribute("aria-describedby") === tipId) anchor.removeAttribute("aria-describedby");
    };
  }, [anchor, text, onGone]);
  return (
    <chakra.div
      ref={bubble}
      id={tipId}
      role="tooltip"
      popover="manual"
      position="fixed"
      inset="auto"
      m="0"
      px="2"
      py="1"
      maxW="80"
      border="none"
      rounded="sm"
      shadow="md"
      bg="bg.inverted"
      color="fg.inverted"
      fontSize="xs"
      pointerEvents="none"
    >
      {text}
    </chakra.div>
  );
}

/** Below, in the middle; above where there is no room, and never beyond an edge of the window. */
function placeBeside(anchor: DOMRect, { width, height }: DOMRect): { readonly left: string; readonly top: string } {
  const middle = anchor.left + (anchor.width - width) / 2;
  const left = Math.max(gap, Math.min(middle, window.innerWidth - width - gap));
  const below = anchor.bottom + gap;
  const top = below + height > window.innerHeight - gap ? anchor.top - height - gap : below;
  return { left: `${left}px`, top: `${Math.max(gap, top)}px` };
}
