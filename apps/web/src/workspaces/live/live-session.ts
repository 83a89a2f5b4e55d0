import { HocuspocusProvider } from "@hocuspocus/provider";
import { colorOf, LiveNotice, PresenceWish } from "@syla/contracts/workspace-live";
import { syla } from "../../app/api.ts";
import { LiveFile } from "./live-file.ts";
import { LiveSocket } from "./live-socket.ts";
import { Store } from "./store.ts";

/** Somebody else who has the workspace open. */
export interface Other {
  readonly key: string;
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly path: string | null;
  /** The run that they have started, and show to those who are here. */
  readonly runId: string | null;
}

/** A workspace as it is open here. */
export interface LiveState {
  /** `ended`: the access is gone. */
  readonly connection: "connecting" | "connected" | "ended";
  readonly others: readonly Other[];
}

/** The access that the connection rests on has ended, or the server does not understand what comes from here. */
const finalCodes = new Set([1007, 4003]);
/** What was sent is more than the server takes at once: it would be sent again and again. */
const tooLarge = 1009;

/** One connection to a workspace: who else is there, and the files that are open. */
export class LiveSession extends Store<LiveState> {
  readonly #socket: LiveSocket;
  readonly #room: HocuspocusProvider;
  readonly #id: string;
  readonly #files = new Set<LiveFile>();
  #path: string | null = null;
  #runId: string | null = null;

  constructor(id: string, onFiles: () => void) {
    super({ connection: "connecting", others: [] });
    this.#id = id;
    this.#socket = new LiveSocket({
      url: "ws://workspace",
      WebSocketPolyfill: function connect() {
        return syla.workspaces.live(id);
      },
      delay: 500,
      minDelay: 250,
      maxDelay: 10_000,
      onStatus: ({ status }) => this.change({ connection: this.state.connection === "ended" ? "ended" : toConnection(status) }),
      onClose: ({ event }) => {
        if (event.code === tooLarge) for (const file of this.#files) file.giveUp();
        if (!finalCodes.has(event.code)) return;
        this.change({ connection: "ended", others: [] });
        this.#socket.disconnect();
      },
    });
    this.#room = new HocuspocusProvider({
      websocketProvider: this.#socket,
      name: id,
      token: "",
      onAwarenessChange: () => this.#look(),
      onStateless: ({ payload }) => {
        const notice = LiveNotice.safeParse(JSON.parse(payload));
        if (notice.success && notice.data.type === "files") onFiles();
      },
    });
    this.#room.attach();
    this.#say();
  }

  /** Which file is shown here. */
  setPath(path: string | null): void {
    if (path === this.#path) return;
    this.#path = path;
    this.#say();
  }

  /** Which run the others are shown. */
  setRun(runId: string | null): void {
    this.#runId = runId;
    this.#say();
  }

  /** @throws SylaError `live_not_text`, `live_too_large`, … */
  async open(path: string): Promise<LiveFile> {
    const file = new LiveFile(this.#socket, await syla.workspaces.document(this.#id, path), () => this.#files.delete(file));
    this.#files.add(file);
    return file;
  }

  /** The file there, where it is open here. */
  opened(path: string): LiveFile | undefined {
    return [...this.#files].find((file) => file.path === path);
  }

  close(): void {
    this.#room.destroy();
    this.#socket.destroy();
  }

  #say(): void {
    this.#room.awareness?.setLocalState({ path: this.#path, runId: this.#runId });
  }

  #look(): void {
    const { awareness } = this.#room;
    const states = [...(awareness?.getStates() ?? [])].filter(([clientId]) => clientId !== awareness?.clientID);
    const others = states.flatMap(([clientId, state]) => toOther(clientId, state));
    this.change({ others: others.toSorted((one, other) => one.name.localeCompare(other.name) || one.key.localeCompare(other.key)) });
  }
}

function toOther(clientId: number, state: Record<string, unknown>): Other[] {
  const user = state["user"] as { readonly id?: unknown; readonly name?: unknown } | undefined;
  const wish = PresenceWish.safeParse(state);
  if (typeof user?.id !== "string" || typeof user.name !== "string" || !wish.success) return [];
  return [{ key: String(clientId), id: user.id, name: user.name, color: colorOf(user.id), ...wish.data }];
}

function toConnection(status: string): LiveState["connection"] {
  return status === "connected" ? "connected" : "connecting";
}
