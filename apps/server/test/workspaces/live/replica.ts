import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { LiveDocument, LiveNotice, liveTextName, type LiveRequest } from "@syla/contracts/workspace-live";
import type { TestServer } from "@syla/testkit/server";
import { WebSocket } from "ws";
import type * as Y from "yjs";
import type { Person } from "../../access/people.ts";
import { json } from "../../catalog/programs.ts";

type Reached = Pick<TestServer, "url">;

/** Keeps nothing for later, as the page's: else changes would be confirmed that are not. */
export class LiveSocket extends HocuspocusProviderWebsocket {
  private isOver?: true;

  /** Also while an earlier connection is still being closed: then another one follows. */
  override async connect(): Promise<unknown> {
    if (this.isOver) return undefined;
    this.shouldConnect = true;
    return await super.connect();
  }

  override destroy(): void {
    this.isOver = true;
    super.destroy();
  }

  override send(message: Parameters<HocuspocusProviderWebsocket["send"]>[0]): void {
    if (this.webSocket?.readyState === WebSocket.OPEN) super.send(message);
  }
}

/** Somebody's editor of one file. */
export interface Replica {
  readonly provider: HocuspocusProvider;
  readonly text: Y.Text;
  readonly notices: LiveNotice[];
  putBack(): void;
  /** Resolves when the server has everything that was written here. */
  saved(): Promise<void>;
  /** Resolves with the first notice of a kind, which may have come already. */
  told<T extends LiveNotice["type"]>(type: T): Promise<Extract<LiveNotice, { type: T }>>;
}

/** Somebody's connection to a workspace. */
export interface Connection {
  readonly socket: LiveSocket;
  readonly room: HocuspocusProvider;
  /** Why the server closed it. */
  readonly closed: Promise<number>;
  open(path: string, document?: Y.Doc): Promise<Replica>;
  close(): void;
}

/** Joins a workspace as an editor does. `reach` names the server anew for each connection: it may be another one by then. */
export async function join(
  server: TestServer,
  person: Pick<Person, "headers">,
  id: string,
  reach: () => Reached = () => server,
): Promise<Connection> {
  class Socket extends WebSocket {
    constructor() {
      super(`${reach().url.replace("http", "ws")}/api/v1/workspaces/${id}/live`, { headers: person.headers });
      this.on("error", () => {}); // it is cut while it connects, too
    }
  }
  const closed = Promise.withResolvers<number>();
  const socket = new LiveSocket({
    url: "ws://workspace",
    WebSocketPolyfill: Socket,
    delay: 50,
    minDelay: 20,
    maxDelay: 200,
    onClose: ({ event }) => closed.resolve(event.code),
  });
  const attach = (name: string, document?: Y.Doc) => {
    const provider = new HocuspocusProvider({
      websocketProvider: socket,
      name,
      token: "",
      ...(document === undefined ? {} : { document }),
    });
    provider.attach();
    return provider;
  };
  const room = attach(id);
  await synced(room);
  return {
    socket,
    room,
    closed: closed.promise,
    async open(path, document) {
      const answer = await fetch(`${reach().url}/api/v1/workspaces/${id}/document?path=${encodeURIComponent(path)}`, {
        headers: person.headers,
      });
      const { id: name } = LiveDocument.parse(await json(answer));
      const notices: LiveNotice[] = [];
      const provider = attach(name, document);
      provider.on("stateless", ({ payload }: { payload: string }) => notices.push(LiveNotice.parse(JSON.parse(payload))));
      await synced(provider);
      return {
        provider,
        text: provider.document.getText(liveTextName),
        notices,
        putBack: () => provider.sendStateless(JSON.stringify({ type: "put_back" } satisfies LiveRequest)),
        saved: () => saved(provider),
        told: (type) => told(provider, notices, type),
      };
    },
    close: () => socket.destroy(),
  };
}

function synced(provider: HocuspocusProvider): Promise<void> {
  return new Promise((resolve) => (provider.isSynced ? resolve() : provider.on("synced", () => resolve())));
}

function saved(provider: HocuspocusProvider): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (provider.hasUnsyncedChanges || !provider.isSynced) return;
      provider.off("unsyncedChanges", look);
      provider.off("synced", look);
      resolve();
    };
    provider.on("unsyncedChanges", look);
    provider.on("synced", look);
    look();
  });
}

function told<T extends LiveNotice["type"]>(
  provider: HocuspocusProvider,
  notices: readonly LiveNotice[],
  type: T,
): Promise<Extract<LiveNotice, { type: T }>> {
  return new Promise((resolve) => {
    const look = () => {
      const found = notices.find((notice) => notice.type === type);
      if (found !== undefined) resolve(found as Extract<LiveNotice, { type: T }>);
    };
    provider.on("stateless", look);
    look();
  });
}

/** Resolves when all of them hold this text. */
export async function allHold(replicas: readonly Replica[], text: string): Promise<void> {
  await Promise.all(
    replicas.map(
      (replica) =>
        new Promise<void>((resolve) => {
          const look = () => {
            if (replica.text.toJSON() !== text) return;
            replica.text.unobserve(look);
            resolve();
          };
          replica.text.observe(look);
          look();
        }),
    ),
  );
}
