import { HocuspocusProvider, WebSocketStatus } from "@hocuspocus/provider";
import { CanvasPresence, type CompositionDocument } from "@syla/contracts/composition-live";
import type { FlowGraph } from "@syla/contracts/flow";
import { colorOf, LiveNotice } from "@syla/contracts/workspace-live";
import { readShared, type SharedGraph, writeShared } from "@syla/flow/shared-graph";
import { type Transaction, UndoManager } from "yjs";
import { syla } from "../../app/api.ts";
import { LiveSocket } from "../../workspaces/live/live-socket.ts";
import { Store } from "../../workspaces/live/store.ts";
import type { SharedDraft } from "../builder-store.ts";

/** Somebody else who has the composition open. */
export interface Drawer extends CanvasPresence {
  readonly key: string;
  readonly name: string;
  readonly color: string;
}

/** What somebody is moving, and on which graph. */
export interface Drag extends NonNullable<CanvasPresence["drag"]> {
  readonly path: string;
}

/** A draft as it stands with the server. */
export interface LiveDraftState {
  readonly isLoaded: boolean;
  /** Whether the server has everything that was drawn here. */
  readonly isSaved: boolean;
  readonly isConnected: boolean;
  readonly mayEdit: boolean;
  /** Why what was drawn last was not taken. It goes no further from here. */
  readonly refused: string | null;
  /** Why what is drawn cannot be saved as it is, though it is kept. */
  readonly problem: string | null;
}

interface DrawersState {
  readonly others: readonly Drawer[];
  /** The same array as long as nothing else is moved, nor further: pointers change more often. */
  readonly drags: readonly Drag[];
}

/** Where others are changes all the time: whoever draws that follows it apart from the rest. */
class Drawers extends Store<DrawersState> {
  set(others: readonly Drawer[]): void {
    const { drags } = this.state;
    const now = others.flatMap(({ path, drag }) => (drag === null ? [] : [{ path, ...drag }]));
    this.change({ others, drags: JSON.stringify(now) === JSON.stringify(drags) ? drags : now });
  }
}

/** The access that the connection rests on has ended, or the server does not understand what comes from here. */
const finalCodes = new Set([1007, 4003]);
/** What was sent is more than the server takes at once: it would be sent again and again. */
const tooLarge = 1009;
/** Where the pointer is is said no more often, ms. */
const sayMs = 80;

/** The draft of a composition, drawn by several at once. What is drawn without a connection stays here, and is put together with theirs when there is one. */
export class LiveDraft extends Store<LiveDraftState> implements SharedDraft {
  readonly drawers = new Drawers({ others: [], drags: [] });
  readonly #socket: LiveSocket;
  readonly #provider: HocuspocusProvider;
  readonly #undoManager: UndoManager;
  readonly #onSettled: () => void;
  /** What is written here is told apart by it from what comes from others. */
  readonly #own = {};
  readonly #hearing = new Set<(graph: FlowGraph) => void>();
  #shared: SharedGraph;
  #presence: CanvasPresence = { path: "", at: null, nodes: [], drag: null };
  /** What was moved was let go, and the server does not have yet where. */
  #isLettingGo = false;
  #saying: ReturnType<typeof setTimeout> | null = null;

  constructor(id: string, { id: name, mayEdit }: CompositionDocument, onSettled: () => void) {
    super({ isLoaded: false, isSaved: true, isConnected: false, mayEdit, refused: null, problem: null });
    this.#onSettled = onSettled;
    this.#socket = new LiveSocket({
      url: "ws://composition",
      WebSocketPolyfill: function connect() {
        return syla.compositions.live(id);
      },
      delay: 500,
      minDelay: 250,
      maxDelay: 10_000,
      onStatus: ({ status }) => this.change({ isConnected: status === WebSocketStatus.Connected }),
      onClose: ({ event }) => {
        if (event.code === tooLarge && !this.state.isSaved) this.#end("That is too much to be put in at once.");
        if (finalCodes.has(event.code)) this.#end("You cannot open this composition any more.");
      },
    });
    const look = () => {
      this.change({ isLoaded: this.state.isLoaded || this.#provider.isSynced, isSaved: !this.#provider.hasUnsyncedChanges });
      if (this.#isLettingGo && this.state.isSaved) this.#showDrag(null);
    };
    this.#provider = new HocuspocusProvider({
      websocketProvider: this.#socket,
      name,
      token: "",
      onSynced: () => look(),
      onUnsyncedChanges: () => look(),
      onAuthenticated: ({ scope }) => this.change({ mayEdit: scope === "read-write" }),
      onAuthenticationFailed: () => this.#end("This was not open for a long time."),
      onAwarenessChange: () => this.#look(),
      onStateless: ({ payload }) => this.#hear(payload),
    });
    const { document } = this.#provider;
    this.#shared = readShared(document);
    this.#undoManager = new UndoManager(document, { trackedOrigins: new Set([this.#own]), captureTimeout: Number.POSITIVE_INFINITY });
    document.on("afterTransaction", ({ origin, changed }: Transaction) => {
      if (origin !== this.#own && changed.size > 0) this.#read();
    });
    this.#provider.attach();
    this.#say();
  }

  get graph(): FlowGraph {
    return this.#shared.graph;
  }

  get canUndo(): boolean {
    return this.#undoManager.undoStack.length > 0;
  }

  get canRedo(): boolean {
    return this.#undoManager.redoStack.length > 0;
  }

  /** Told of each graph that others make, and of what is taken back. */
  follow(hear: (graph: FlowGraph) => void): () => void {
    this.#hearing.add(hear);
    return () => this.#hearing.delete(hear);
  }

  write(after: FlowGraph): FlowGraph {
    const { document } = this.#provider;
    const before = this.#shared.graph;
    document.transact(() => writeShared(document, before, after), this.#own);
    this.#shared = readShared(document, this.#shared);
    return this.#shared.graph;
  }

  seal(): void {
    this.#undoManager.stopCapturing();
  }

  undo(): void {
    this.#undoManager.undo();
  }

  redo(): void {
    this.#undoManager.redo();
  }

  /** Says where one is on the canvas. */
  show(change: Partial<CanvasPresence>): void {
    this.#presence = { ...this.#presence, ...change };
    this.#saying ??= setTimeout(() => {
      this.#saying = null;
      this.#say();
    }, sayMs);
  }

  /** Says what is being moved here. Null: it was let go; the others are told so when they know where it lies, or it would be where it was meanwhile. */
  showDrag(drag: CanvasPresence["drag"]): void {
    if (drag === null && this.#presence.drag === null) return;
    if (drag === null && !this.state.isSaved) this.#isLettingGo = true;
    else this.#showDrag(drag);
  }

  /** Resolves when the server has everything that was drawn here. @throws Error when it does not take it */
  async saved(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        const { refused, isSaved } = this.state;
        if (refused === null && !isSaved) return;
        end();
        if (refused === null) resolve();
        else reject(new Error(refused));
      };
      const end = this.subscribe(look);
      look();
    });
  }

  close(): void {
    if (this.#saying !== null) clearTimeout(this.#saying);
    this.#hearing.clear();
    this.#undoManager.destroy();
    this.#provider.destroy();
    this.#socket.destroy();
    this.#provider.document.destroy();
  }

  /** Nothing goes to the server any more, nor comes from there. */
  #end(reason: string): void {
    this.#provider.detach();
    this.#socket.disconnect();
    this.drawers.set([]);
    this.change({ refused: reason, mayEdit: false });
  }

  #read(): void {
    const { graph } = this.#shared;
    this.#shared = readShared(this.#provider.document, this.#shared);
    if (this.#shared.graph !== graph) for (const hear of this.#hearing) hear(this.#shared.graph);
  }

  #hear(payload: string): void {
    const notice = LiveNotice.safeParse(JSON.parse(payload));
    if (!notice.success) return;
    if (notice.data.type === "refused") {
      this.#showDrag(null);
      return this.change({
        refused: notice.data.code === "forbidden" ? "You may not change this composition any more." : notice.data.message,
        mayEdit: false,
      });
    }
    if (notice.data.type !== "settled") return;
    this.change({ problem: notice.data.problem?.message ?? null });
    this.#onSettled();
  }

  #say(): void {
    this.#provider.awareness?.setLocalState({ cursor: this.#presence });
  }

  #showDrag(drag: CanvasPresence["drag"]): void {
    this.#isLettingGo = false;
    this.show({ drag });
  }

  #look(): void {
    const { awareness } = this.#provider;
    const states = [...(awareness?.getStates() ?? [])].filter(([clientId]) => clientId !== awareness?.clientID);
    const others = states.flatMap(([clientId, state]) => toDrawer(clientId, state as Record<string, unknown>));
    this.drawers.set(others.toSorted((one, other) => one.name.localeCompare(other.name) || one.key.localeCompare(other.key)));
  }
}

function toDrawer(clientId: number, state: Record<string, unknown>): Drawer[] {
  const user = state["user"] as { readonly id?: unknown; readonly name?: unknown } | undefined;
  const where = CanvasPresence.safeParse(state["cursor"] ?? {});
  if (typeof user?.id !== "string" || typeof user.name !== "string" || !where.success) return [];
  return [{ key: String(clientId), name: user.name, color: colorOf(user.id), ...where.data }];
}
