import type { EditorView } from "@codemirror/view";
import { HocuspocusProvider, type HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { LiveNotice, liveTextName, type LiveRequest } from "@syla/contracts/workspace-live";
import type { LiveDocument } from "@syla/sdk";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import { Store } from "./store.ts";

/** A file that is open here, as it stands with the server. */
export interface LiveFileState {
  /** Whether what the server has is here. */
  readonly isLoaded: boolean;
  /** Whether the server has everything that was written here. */
  readonly isSaved: boolean;
  readonly mayEdit: boolean;
  /** Why what was written last was not taken. It goes no further from here. */
  readonly refused: string | null;
  /** Why the text is not in the files yet, though it is kept. */
  readonly problem: string | null;
  /** The file is gone; what is written is kept for a while. */
  readonly isDetached: boolean;
}

/** A file that people edit together. What is written while there is no connection stays here, and is put together with theirs when there is one. */
export class LiveFile extends Store<LiveFileState> {
  readonly text: Y.Text;
  readonly awareness: Awareness;
  /** Where it is written in here, while it is shown. */
  editor: EditorView | null = null;
  readonly #provider: HocuspocusProvider;
  readonly #onClose: () => void;
  #path: string;

  constructor(socket: HocuspocusProviderWebsocket, { id, path, mayEdit }: LiveDocument, onClose: () => void) {
    super({ isLoaded: false, isSaved: true, mayEdit, refused: null, problem: null, isDetached: false });
    [this.#path, this.#onClose] = [path, onClose];
    const look = () =>
      this.change({ isLoaded: this.state.isLoaded || this.#provider.isSynced, isSaved: !this.#provider.hasUnsyncedChanges });
    this.#provider = new HocuspocusProvider({
      websocketProvider: socket,
      name: id,
      token: "",
      onSynced: () => look(),
      onUnsyncedChanges: () => look(),
      onAuthenticated: ({ scope }) => this.change({ mayEdit: scope === "read-write" }),
      onAuthenticationFailed: () => this.change({ refused: "This document is not kept any more: nobody had it open for a long time." }),
      onStateless: ({ payload }) => this.#hear(payload),
    });
    this.#provider.attach();
    this.text = this.#provider.document.getText(liveTextName);
    // It is never switched off above.
    this.awareness = this.#provider.awareness as Awareness;
  }

  /** Where the file is by now. */
  get path(): string {
    return this.#path;
  }

  /** Asks for the file, which is gone, to be there again with all that anybody has written in it. */
  putBack(): void {
    this.#provider.sendStateless(JSON.stringify({ type: "put_back" } satisfies LiveRequest));
  }

  /** What is not saved is too much to be sent at once: it stays here. */
  giveUp(): void {
    if (this.state.isSaved) return;
    this.#provider.detach();
    this.change({ refused: "That is too much to be put in at once." });
  }

  close(): void {
    this.#onClose();
    this.#provider.destroy();
    this.#provider.document.destroy();
  }

  #hear(payload: string): void {
    const notice = LiveNotice.safeParse(JSON.parse(payload));
    if (!notice.success) return;
    switch (notice.data.type) {
      case "refused":
        if (notice.data.code !== "forbidden") return this.change({ refused: notice.data.message });
        return this.change({ refused: "You may not edit this file any more.", mayEdit: false });
      case "settled":
        return this.change({ problem: notice.data.problem?.message ?? null, isDetached: false });
      case "detached":
        return this.change({ isDetached: true });
      case "moved":
        this.#path = notice.data.path;
        return this.change({});
      default:
    }
  }
}
