import type { Actor } from "@syla/server/access/actor";
import { LiveCompositions, type LiveContext } from "@syla/server/compositions/live/service";
import { GraphFiles } from "@syla/server/compositions/graph-files";
import type { TestServer } from "@syla/testkit/server";
import { cuttable, serveSockets } from "../../workspaces/live/node.ts";

export const noRedis: LiveContext["redis"] = {
  state: "off",
  publish: () => Promise.resolve(null),
  subscribe: () => Promise.resolve(() => {}),
};

/** One server's part in drawing together, on the database and the content of another, to be killed at any moment. */
export interface LiveNode {
  readonly url: string;
  readonly live: LiveCompositions;
  /** Ends as a process does that is killed: nobody is told, and nothing is brought to an end. */
  kill(): void;
}

/** Whoever comes is this actor, and draws this composition. */
export async function startNode(server: TestServer, actor: Actor, id: string, redis = noRedis): Promise<LiveNode> {
  const { access, blobs, trees, runs, notifications, accounts, catalog, logger } = server.context;
  const { database, cut } = cuttable(server.context.database);
  const graphs = new GraphFiles(blobs);
  const context = { database, access, catalog, trees, graphs, uploads: runs, notifications, logger, redis, actFor: accounts.actFor };
  const live = new LiveCompositions(context);
  await live.listen();
  void live.run();
  const reached = await serveSockets((signal) => live.join(actor, id, signal));
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
