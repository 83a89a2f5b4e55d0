import type { Extension } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate, WidgetType } from "@codemirror/view";
import { cursorPlace } from "./cursor-place.ts";
import type { LiveFile } from "./live-file.ts";

/** The name of somebody at the end of the line that their cursor is in: there it covers no text. */
class NameTag extends WidgetType {
  readonly #name: string;
  readonly #color: string;

  constructor(name: string, color: string) {
    super();
    [this.#name, this.#color] = [name, color];
  }

  override eq(other: NameTag): boolean {
    return other.#name === this.#name && other.#color === this.#color;
  }

  override toDOM(): HTMLElement {
    const tag = document.createElement("span");
    tag.className = "cm-person";
    tag.style.backgroundColor = this.#color;
    tag.textContent = this.#name;
    return tag;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** Names the cursors of the others. */
export function nameTags({ text, awareness }: LiveFile): Extension {
  const tagsOf = (view: EditorView): DecorationSet => {
    const { doc } = view.state;
    const tags = [...awareness.getStates()].flatMap(([clientId, state]) => {
      const at = clientId === awareness.clientID || text.doc === null ? null : cursorPlace(state, text.doc);
      const user = state["user"] as { readonly name?: unknown; readonly color?: unknown } | undefined;
      if (at === null || typeof user?.name !== "string" || typeof user.color !== "string") return [];
      const tag = new NameTag(user.name, user.color);
      return [Decoration.widget({ widget: tag, side: 2 }).range(doc.lineAt(Math.min(at, doc.length)).to)];
    });
    return Decoration.set(tags, true);
  };
  const plugin = ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;

      constructor(view: EditorView) {
        this.decorations = tagsOf(view);
      }

      // The editor is told of cursors that move by an update without a change.
      update({ view }: ViewUpdate): void {
        this.decorations = tagsOf(view);
      }
    },
    { decorations: ({ decorations }) => decorations },
  );
  return [plugin, theme];
}

const theme = EditorView.baseTheme({
  ".cm-person": {
    display: "inline-block",
    marginLeft: "10px",
    padding: "0 6px",
    borderRadius: "4px",
    font: "500 11px/16px var(--chakra-fonts-body)",
    // No line is higher for it.
    height: "16px",
    marginTop: "2px",
    verticalAlign: "top",
    maxWidth: "160px",
    overflow: "hidden",
    textOverflow: "ellipsis",
    whiteSpace: "nowrap",
    color: "white",
    userSelect: "none",
    pointerEvents: "none",
  },
});
