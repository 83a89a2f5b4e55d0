import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "@syla/server/access/actor";
import type { Database } from "@syla/server/platform/database";
import { LiveWorkspaces, type LiveContext } from "@syla/server/workspaces/live/service";
import type { TestServer } from "@syla/testkit/server";
import { type WebSocket, WebSocketServer } from "ws";

const noRedis: LiveContext["redis"] = {
  state: "off",
  publish: () => Promise.resolve(null),
  subscribe: () => Promise.resolve(() => {}),
};

/** One server's part in live editing, on the database and the content of another, to be killed at any moment. */
export interface LiveNode {
  readonly url: string;
  readonly live: LiveWorkspaces;
  /** Ends as a process does that is killed: nobody is told, and nothing is brought to an end. */
  kill(): void;
}

/** Whoever comes is this actor, and in this workspace. */
export async function startNode(server: TestServer, actor: Actor, workspaceId: string, redis = noRedis): Promise<LiveNode> {
  const { access, blobs, trees, runs, notifications, accounts } = server.context;
  const { database, cut } = cuttable(server.context.database);
  const times = () => ({ ephemeralMs: 1e9, sessionMs: 1e9, idleMs: 1e9, collaborativeIdleMs: 1e9, archiveMs: 1e9 });
  const { logger } = server.context;
  const context = { database, access, blobs, trees, uploads: runs, times, notifications, logger, redis, actFor: accounts.actFor };
  const live: LiveWorkspaces = new LiveWorkspaces({ ...context, settleLive: (id) => live.settleAll(id) });
  await live.listen();
  void live.run();
  const reached = await serveSockets((signal) => live.join(actor, workspaceId, signal));
  return {
    url: reached.url,
    live,
    kill() {
      reached.kill();
      live.forget();
      cut();
    },
  };
}

/** Lets whoever comes in, each of whom is served by what `join` answers. */
export async function serveSockets(
  join: (signal: AbortSignal) => Promise<(socket: WebSocket) => void>,
): Promise<{ readonly url: string; kill(): void }> {
  // Somebody is let in before the socket opens, as in a server: else what they say first would be said to nobody.
  const entered = new WeakMap<IncomingMessage, (socket: WebSocket) => void>();
  const letIn = async (request: IncomingMessage): Promise<boolean> => {
    try {
      entered.set(request, await join(new AbortController().signal));
      return true;
    } catch {
      return false;
    }
  };
  const verifyClient = ({ req }: { req: IncomingMessage }, decide: (isLetIn: boolean) => void) => void letIn(req).then(decide);
  const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0, verifyClient });
  await once(sockets, "listening");
  sockets.on("connection", (socket, request) => entered.get(request)?.(socket));
  const address = sockets.address();
  return {
    url: `ws://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    kill() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

/** The database as a process has it, of which nothing comes any more once it is killed. */
export function cuttable(database: Database): { database: Database; cut: () => void } {
  let isCut = false;
  return {
    database: {
      ...database,
      get queries() {
        if (isCut) throw new AppError("database_unavailable");
        return database.queries;
      },
    },
    cut: () => (isCut = true),
  };
}
