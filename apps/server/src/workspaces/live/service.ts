import { AppError } from "@syla/contracts/errors";
import type { LiveDocument, WorkspacePresenceEvent } from "@syla/contracts/workspace-live";
import type { WebSocket } from "ws";
import type { Actor } from "../../access/actor.ts";
import type { Hold } from "../../access/service.ts";
import { LiveRooms, mayWrite, type Entrance, type LiveContext as RoomsContext } from "../../live/service.ts";
import type { Service } from "../../platform/service.ts";
import { loadWorkspace, toThing } from "../loading.ts";
import { checkUpdate } from "./check-update.ts";
import { requireWriter } from "./connection.ts";
import { listDiverged, openDocument, settleDocument, type SettleContext } from "./settle.ts";
import * as store from "./store.ts";

/** What live editing of files is made of. */
export interface LiveContext extends SettleContext {
  readonly notifications: RoomsContext["notifications"];
  readonly redis: RoomsContext["redis"];
}

/** Files of workspaces that people edit together. */
export class LiveWorkspaces implements Service {
  readonly name = "live";
  readonly #context: LiveContext;
  readonly #rooms: LiveRooms;

  constructor(context: LiveContext) {
    this.#context = context;
    this.#rooms = new LiveRooms(context, {
      channel: "live",
      changesChannel: "workspace_files", // see the migration `0080-live-documents`
      enter: (actor, id) => this.#enter(actor, id),
      requireWriter: (actor, id) => requireWriter(context, actor, id),
      check: checkUpdate,
      settle: (id, putBack) => settleDocument(context, id, putBack),
      listDiverged: (id, documents) => listDiverged(context, id, documents),
      takeLeft: (ms, most) => store.takeLeft(context.database.queries, ms, most),
    });
  }

  /** Begins to hear of files that change, and of the other servers. */
  async listen(): Promise<void> {
    await this.#rooms.listen();
  }

  /** The live document of a file. @throws AppError `not_found`, `file_not_found`, `live_not_text`, `live_too_large`, … */
  async document(actor: Actor, id: string, path: string): Promise<LiveDocument> {
    const workspace = await loadWorkspace(this.#context, actor, "workspace:read", id);
    const row = await openDocument(this.#context, workspace, path);
    const writers = { requireWriter: (by: Actor, of: string) => requireWriter(this.#context, by, of) };
    return { id: row.id, path: row.path, mayEdit: await mayWrite(writers, actor, id) };
  }

  /** Lets somebody in, before the socket opens. What is answered serves it. @throws AppError `not_found`, `workspace_deleted` */
  async join(actor: Actor, id: string, gone: AbortSignal): Promise<(socket: WebSocket) => void> {
    return await this.#rooms.join(actor, id, gone);
  }

  /** Who is there, now and whenever that changes. @throws AppError `not_found`, `workspace_deleted` */
  async follow(
    actor: Actor,
    id: string,
    gone: AbortSignal,
  ): Promise<{ hold: Hold; events: AsyncGenerator<WorkspacePresenceEvent, void, void> }> {
    return await this.#rooms.follow(actor, id, gone);
  }

  /** Brings what was written in a workspace's documents into its files, on whichever server it was: who reads the files next reads that. */
  async settleAll(workspaceId: string): Promise<void> {
    for (const id of await store.listDocuments(this.#context.database.queries, workspaceId, true)) await this.#rooms.settle(id);
  }

  async run(): Promise<void> {
    await this.#rooms.run();
  }

  async drain(): Promise<void> {
    await this.#rooms.drain();
  }

  /** Hears of nothing any more. */
  forget(): void {
    this.#rooms.forget();
  }

  async stop(): Promise<void> {
    await this.#rooms.stop();
  }

  async #enter(actor: Actor, id: string): Promise<Entrance> {
    const { queries } = this.#context.database;
    const row = await loadWorkspace(this.#context, actor, "workspace:read", id);
    if (row.deleted_at !== null) throw new AppError("workspace_deleted");
    const load = async () => {
      const now = await store.findWorkspacePlace(queries, id);
      return now === undefined || now.deleted_at !== null ? undefined : toThing(now);
    };
    return { action: "workspace:read", thing: toThing(row), load };
  }
}
