import type { Extension } from "@codemirror/state";
import { EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { cursorPlace } from "./cursor-place.ts";
import type { LiveFile } from "./live-file.ts";

/** Between the cursor and the edge of what is shown, pixels. */
const marginPixels = 60;

interface Changed {
  readonly added: readonly number[];
  readonly updated: readonly number[];
}

/** Keeps the cursor of somebody in view. Of one who has the file open several times, that which moved last. */
export function followCursor({ text, awareness }: LiveFile, userId: string): Extension {
  const isTheirs = (clientId: number) => {
    const user = awareness.getStates().get(clientId)?.["user"] as { readonly id?: unknown } | undefined;
    return clientId !== awareness.clientID && user?.id === userId;
  };
  return ViewPlugin.fromClass(
    class {
      readonly #view: EditorView;
      readonly #hear: (changed: Changed) => void;
      #clientId = [...awareness.getStates().keys()].find(isTheirs);
      #shown: number | null = null;
      #isOver = false;

      constructor(view: EditorView) {
        this.#view = view;
        this.#hear = ({ added, updated }) => {
          const moved = [...added, ...updated].findLast(isTheirs);
          if (moved === undefined) return;
          this.#clientId = moved;
          this.#goSoon();
        };
        awareness.on("change", this.#hear);
        this.#goSoon();
      }

      // What a cursor rests on may come after it.
      update({ docChanged }: ViewUpdate): void {
        if (docChanged) this.#goSoon();
      }

      destroy(): void {
        this.#isOver = true;
        awareness.off("change", this.#hear);
      }

      /** Nothing is dispatched while an update is on its way. */
      #goSoon(): void {
        queueMicrotask(() => {
          if (!this.#isOver) this.#go();
        });
      }

      #go(): void {
        const state = this.#clientId === undefined ? undefined : awareness.getStates().get(this.#clientId);
        const place = state === undefined || text.doc === null ? null : cursorPlace(state, text.doc);
        if (place === null || place === this.#shown) return;
        const y = this.#shown === null ? "center" : "nearest";
        this.#shown = place;
        const inText = Math.min(place, this.#view.state.doc.length);
        this.#view.dispatch({ effects: EditorView.scrollIntoView(inText, { y, yMargin: marginPixels }) });
      }
    },
  );
}
