import type { CompositionDocument } from "@syla/contracts/composition-live";
import { AppError } from "@syla/contracts/errors";
import type { WebSocket } from "ws";
import { covers, type Access } from "../../access/service.ts";
import type { Actor } from "../../access/actor.ts";
import type { Catalog } from "../../catalog/service.ts";
import { LiveRooms, mayWrite, type Entrance, type LiveContext as RoomsContext } from "../../live/service.ts";
import type { Service } from "../../platform/service.ts";
import { checkUpdate } from "./check-update.ts";
import { listDiverged, openDocument, settleDocument, type SettleContext } from "./settle.ts";
import * as store from "./store.ts";

/** What drawing together is made of. */
export interface LiveContext extends Omit<SettleContext, "catalog"> {
  readonly catalog: Pick<Catalog, "draft" | "putDraft" | "get" | "thing">;
  readonly access: Pick<Access, "hold" | "require">;
  readonly notifications: RoomsContext["notifications"];
  readonly redis: RoomsContext["redis"];
}

const writingScope = "compositions:write";

/** Compositions that people draw together: of each the draft is one document. */
export class LiveCompositions implements Service {
  readonly name = "live_graphs";
  readonly #context: LiveContext;
  readonly #rooms: LiveRooms;

  constructor(context: LiveContext) {
    this.#context = context;
    this.#rooms = new LiveRooms(context, {
      channel: "live_graphs",
      changesChannel: "composition_graphs", // see the migration `0098-live-compositions`
      enter: (actor, id) => this.#enter(actor, id),
      requireWriter: (actor, id) => this.#requireWriter(actor, id),
      check: checkUpdate,
      settle: (id) => settleDocument(context, id),
      listDiverged: (id, documents) => listDiverged(context, id, documents),
      takeLeft: (ms, most) => store.takeLeft(context.database.queries, ms, most),
    });
  }

  /** Begins to hear of drafts that change, and of the other servers. */
  async listen(): Promise<void> {
    await this.#rooms.listen();
  }

  /** The live document of a composition's draft. @throws AppError `not_found`, `asset_deleted`, `live_too_large` */
  async document(actor: Actor, id: string): Promise<CompositionDocument> {
    await this.#enter(actor, id);
    const row = await openDocument(this.#context, id);
    const mayEdit = await mayWrite({ requireWriter: (by, of) => this.#requireWriter(by, of) }, actor, id);
    return { id: row.id, mayEdit };
  }

  /** Lets somebody in, before the socket opens. What is answered serves it. @throws AppError `not_found`, `asset_deleted` */
  async join(actor: Actor, id: string, gone: AbortSignal): Promise<(socket: WebSocket) => void> {
    return await this.#rooms.join(actor, id, gone);
  }

  /** Brings what was drawn into the draft, on whichever server it was: who reads the draft next reads that. */
  async settleDraft(id: string): Promise<void> {
    const unsettled = await store.findUnsettled(this.#context.database.queries, id);
    if (unsettled !== undefined) await this.#rooms.settle(unsettled);
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
    const { catalog } = this.#context;
    const { type, deletedAt } = await catalog.get(actor, id);
    if (type !== "composition") throw new AppError("not_found");
    const thing = deletedAt === null ? await catalog.thing(id) : undefined;
    if (thing === undefined) throw new AppError("asset_deleted");
    return { action: "asset:read", thing, load: () => catalog.thing(id) };
  }

  async #requireWriter(actor: Actor, id: string): Promise<void> {
    const { catalog, access } = this.#context;
    const thing = await catalog.thing(id);
    if (thing === undefined) throw new AppError("not_found");
    await access.require(actor, "asset:edit", thing);
    if (actor.scopes !== undefined && !actor.scopes.some((scope) => covers(scope, writingScope)))
      throw new AppError("scope_missing", {
        message: `This key was not made for changing compositions: it lacks the scope \`${writingScope}\`.`,
      });
  }
}
