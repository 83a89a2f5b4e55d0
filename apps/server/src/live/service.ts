import { setTimeout as sleep } from "node:timers/promises";
import { Hocuspocus, OutgoingMessage, type beforeSyncPayload, type Connection, type Document } from "@hocuspocus/server";
import { AppError } from "@syla/contracts/errors";
import type { LiveNotice, WorkspacePresenceEvent } from "@syla/contracts/workspace-live";
import { applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import type { WebSocket } from "ws";
import * as Y from "yjs";
import type { Actor } from "../access/actor.ts";
import type { Access, Hold, Thing } from "../access/service.ts";
import type { Database } from "../platform/database.ts";
import { toAppError } from "../platform/http-problem.ts";
import type { Logger } from "../platform/logger.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Redis } from "../platform/redis.ts";
import type { Service } from "../platform/service.ts";
import { closeWhenEnded } from "../platform/socket.ts";
import { RestsOnUnknownError, type NewContent } from "./check-update.ts";
import { Intake } from "./intake.ts";
import type { Member } from "./member.ts";
import { Peers, type Word } from "./peers.ts";
import { correctStates, followPeople, isSomebodyElses } from "./presence.ts";
import type { Settled } from "./settle.ts";
import * as store from "./store.ts";
import { LiveSockets } from "./sockets.ts";
import { UpdateLog } from "./update-log.ts";

export { checkUpdate, refuseUpdate, type DocumentRules, type NewContent } from "./check-update.ts";
export { readState, updateOf } from "./document-state.ts";
export {
  authorsOf,
  firstActor,
  lockSame,
  openInTurns,
  OvertakenError,
  readUpdates,
  settleInTurns,
  type Settled,
  type SettlingContext,
  type Turn,
} from "./settle.ts";
export { findDocument, insertUpdates, listBases, markDocument, moveSnapshot, type DocumentRow, type UpdateRow } from "./store.ts";

/** What live editing is made of. */
export interface LiveContext {
  readonly database: Pick<Database, "queries">;
  readonly access: Pick<Access, "hold">;
  readonly notifications: Notifications;
  readonly redis: Pick<Redis, "state" | "publish" | "subscribe">;
  readonly logger: Logger;
}

/** What somebody who joins has to be allowed, for as long as they are there. */
export interface Entrance {
  readonly action: Parameters<Access["hold"]>[1];
  readonly thing: Thing;
  /** The thing as it is by then; undefined when it is gone. */
  readonly load: () => Promise<Thing | undefined>;
}

/** A kind of things that people edit together, each with a room and documents: what is particular to it. What it is of lies elsewhere, and others write there. */
export interface LiveKind {
  /** What servers tell each other about it on: a name for each kind. */
  readonly channel: string;
  /** Told of each thing whose content has changed, by a trigger of the database. */
  readonly changesChannel: string;
  /** Who is let in. @throws AppError `not_found`, … */
  enter(actor: Actor, roomId: string): Promise<Entrance>;
  /** @throws AppError `forbidden`, … when somebody may not write at this moment */
  requireWriter(actor: Actor, roomId: string): Promise<void>;
  /** Looks at a change before it is taken. @throws AppError `live_update_invalid`, `live_too_large`; RestsOnUnknownError */
  check(document: Y.Doc, update: Uint8Array): NewContent;
  /** Brings a document and what it is of together. `putBack`: who wants what is gone to be there again. */
  settle(id: string, putBack: Actor | null): Promise<Settled>;
  /** Of open documents of a thing, those that have something else in common with it than they think. */
  listDiverged(roomId: string, ids: readonly string[]): Promise<string[]>;
  /** Takes some documents of which something has been nowhere else for so long: whoever had them open is gone. */
  takeLeft(ms: number, most: number): Promise<string[]>;
}

/** How long after the last change a document comes into its file, and at the latest, ms. */
const settleMs = 2000;
const longestSettleMs = 15_000;
/** What another server has written is looked for this often, besides being told, where something happened within the last minute; else every minute. */
const catchUpMs = 2000;
const livelyMs = 60_000;
/** What was left by a server that is gone is brought into its file after so long. */
const leftMs = 30_000;
const mostLeft = 50;
/** What nobody has had open for so long is forgotten when it holds nothing of its own; what was written after the file was gone, later. */
const unusedMs = 7 * 86_400_000;
const detachedMs = 30 * 86_400_000;
const sweepEvery = 30;
/** The other servers hear that there are documents open here every so many rounds. */
const hereEvery = 4;
/** So much may wait to come into a file that cannot be written. */
const mostPendingBytes = 16 * 1024 * 1024;
/** Changes that came from elsewhere are kept already. */
const elsewhere = { source: "redis" } as const;

/** What is sent as it is written, rather than in answer to what somebody has; of the protocol of Yjs. */
const updateType = 2;

/** The name that the client is told it by. What has a message is written to the server's log. */
class UnknownDocumentError extends Error {
  readonly reason = "not_found";
}

/** Has no message either: nothing is wrong. */
class StaleDocumentError extends Error {}

/** Who cannot be let in because of a fault of ours is not told that they may not. `member` has nothing of that where a server listens by itself. */
async function orSentAway<T>(member: Partial<Member>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnknownDocumentError)) member.sendAway?.();
    throw error;
  }
}

/**
 * Who writes before the exchange that begins a connection is over sends what rests on what only that exchange brings. It is not confirmed; they are asked
 * for everything that is not here, and that is: as many confirmations as they wait for, and none before its time.
 */
function askForAll(connection: Connection, document: Document): void {
  connection.send(new OutgoingMessage(connection.messageAddress).createSyncMessage().writeFirstSyncStepFor(document).toUint8Array());
}

/** What a document is of. */
function roomOf({ workspace_id: workspaceId, asset_id: assetId }: Pick<store.DocumentRow, "workspace_id" | "asset_id">): string {
  return workspaceId ?? assetId ?? "";
}

/** A document that somebody has open on this server. */
interface OpenDocument {
  readonly roomId: string;
  path: string;
  /** Everything up to it has been heard of. */
  seq: number;
  /** When something was last heard of, by the process' clock, ms. */
  heardAt: number;
  /** What was written since it came into its file, bytes. */
  pendingBytes: number;
}

/** Whether somebody may write at this moment, as an answer. */
export async function mayWrite(kind: Pick<LiveKind, "requireWriter">, actor: Actor, roomId: string): Promise<boolean> {
  return await kind.requireWriter(actor, roomId).then(
    () => true,
    (error: unknown) => {
      if (error instanceof AppError && error.status < 500) return false;
      throw error;
    },
  );
}

/** Things of one kind that people edit together: their documents, the rooms of those who are there, and what holds documents and things together. */
export class LiveRooms implements Service {
  readonly name: string;
  readonly #context: LiveContext;
  readonly #kind: LiveKind;
  readonly #log: UpdateLog;
  readonly #peers: Peers;
  readonly #intake: Intake;
  readonly #server: Hocuspocus<Member>;
  readonly #sockets = new LiveSockets();
  /** By the document itself: one of the same name may be open anew before this one has gone. */
  readonly #open = new WeakMap<Document, OpenDocument>();
  readonly #settling = new Map<string, Promise<Settled>>();
  /** Who asks for what just now. */
  readonly #puttingBack = new Set<string>();
  readonly #stopping = new AbortController();
  #ends: (() => void)[] = [];

  constructor(context: LiveContext, kind: LiveKind) {
    [this.#context, this.#kind, this.name] = [context, kind, kind.channel];
    this.#log = new UpdateLog(context.database);
    this.#peers = new Peers(kind.channel, context.redis, context.database, context.notifications);
    this.#intake = new Intake(
      context.database,
      (document, update) => kind.check(document, update),
      (id) => this.#catchUp([id]),
    );
    this.#server = new Hocuspocus<Member>({
      quiet: true,
      debounce: settleMs,
      maxDebounce: longestSettleMs,
      // What is answered is known of the member from then on, in this document.
      onAuthenticate: async ({ documentName, context: member, connectionConfig }) =>
        await orSentAway(member, async (): Promise<Partial<Member>> => {
          if (documentName === member.roomId) return {};
          const row = await store.findDocument(context.database.queries, documentName);
          if (row === undefined || roomOf(row) !== member.roomId) throw new UnknownDocumentError();
          const mayWriteHere = await mayWrite(kind, member.actor, member.roomId);
          connectionConfig.readOnly = !mayWriteHere;
          return { mayWrite: mayWriteHere };
        }),
      onLoadDocument: async ({ document, documentName, context: member }) =>
        await orSentAway(member, () => this.#load(document, documentName)),
      // Who leaves a document late, of which another one is open by then, would take that from those who have it.
      beforeUnloadDocument: async ({ instance, document, documentName }) => {
        if (instance.documents.get(documentName) !== document) throw new StaleDocumentError();
      },
      beforeSync: (payload) => this.#receive(payload),
      beforeHandleAwareness: async ({ document, states, connection, context: member }) => {
        if (connection === undefined || member === undefined) return;
        const { userId } = member.actor;
        // A connection of theirs that nobody has noticed the end of yet is no other person's.
        const others = [...document.connections].filter(([other]) => (other.context as Member).actor.userId !== userId);
        const known = document.awareness.getStates(); // those on other servers, too
        correctStates(
          states,
          member,
          document.name === member.roomId,
          (clientId) => isSomebodyElses(known.get(clientId), userId) || others.some(([, { clients }]) => clients.has(clientId)),
        );
      },
      onAwarenessUpdate: async ({ document, added, updated, removed, transactionOrigin }) => {
        if (transactionOrigin !== elsewhere) this.#tellPresence(document, [...added, ...updated, ...removed]);
      },
      onStateless: async ({ connection, documentName }) => await this.#putBack(connection, documentName),
      afterHandleMessage: async ({ connection, update }) => this.#sockets.count(connection.webSocket, -update.length),
      onStoreDocument: async ({ document, documentName }) => {
        // What fails is done again when somebody has left it for a while: everything is in the log.
        if (this.#open.has(document)) await this.settle(documentName).catch((err: unknown) => this.#complain(err));
      },
    });
  }

  /** Begins to hear of things that change, and of the other servers. */
  async listen(): Promise<void> {
    const { notifications } = this.#context;
    const look = () => this.#catchUpSoon(this.#listOpen().map(([id]) => id));
    this.#ends = [
      await this.#peers.listen((word) => this.#hear(word), look),
      await notifications.listen(this.#kind.changesChannel, (id) => void this.#thingChanged(id), look),
    ];
  }

  /** Lets somebody in, before the socket opens. What is answered serves it. @throws AppError as `LiveKind.enter` */
  async join(actor: Actor, id: string, gone: AbortSignal): Promise<(socket: WebSocket) => void> {
    const { hold, name } = await this.#enter(actor, id, gone);
    return (socket) => {
      socket.once("close", () => hold.release());
      closeWhenEnded(socket, hold.signal);
      const sendAway = () => socket.close(1011, "try_again");
      this.#sockets.serve(socket, this.#server, { actor, roomId: id, name, sendAway });
    };
  }

  /** Who is there, now and whenever that changes. @throws AppError as `LiveKind.enter` */
  async follow(
    actor: Actor,
    id: string,
    gone: AbortSignal,
  ): Promise<{ hold: Hold; events: AsyncGenerator<WorkspacePresenceEvent, void, void> }> {
    const { hold } = await this.#enter(actor, id, gone);
    return { hold, events: followPeople(this.#server, id, hold.signal) };
  }

  /** Brings a document and what it is of together; those who have it open are told what came of it. */
  async settle(id: string): Promise<void> {
    // Who wants it while it is being done may have written since it began: it is done once more for all of them.
    const before = this.#settling.get(id);
    if (before !== undefined) await before.catch(() => {});
    await this.#heed(id, this.#settling.get(id) ?? this.#begin(id));
  }

  async #heed(id: string, settled: Promise<Settled>): Promise<void> {
    const { isChanged } = await settled;
    if (isChanged) void this.#peers.tell({ kind: "changed", name: id });
    await this.#catchUp([id]).catch((err: unknown) => this.#complain(err)); // it is looked for again soon
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let round = 0; !signal.aborted; round += 1) {
      await sleep(catchUpMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
      this.#sockets.cutSlow();
      await this.#lookAround(round).catch((err: unknown) => this.#context.logger.warn({ err }, "live documents could not be looked after"));
    }
  }

  async drain(): Promise<void> {
    for (const [id] of this.#listOpen()) await this.settle(id).catch(() => {});
  }

  /** Hears of nothing any more. */
  forget(): void {
    this.#stopping.abort();
    for (const end of this.#ends) end();
  }

  async stop(): Promise<void> {
    this.forget();
    this.#sockets.close();
    await this.drain();
  }

  async #enter(actor: Actor, id: string, gone: AbortSignal): Promise<{ hold: Hold; name: string }> {
    const { access, database } = this.#context;
    const { action, thing, load } = await this.#kind.enter(actor, id);
    const name = await store.findName(database.queries, actor.userId);
    return { hold: access.hold(actor, action, thing, load, gone), name };
  }

  /** What people have open here, by its name. */
  #listOpen(): (readonly [string, OpenDocument])[] {
    return [...this.#server.documents].flatMap(([id, document]) => {
      const known = this.#open.get(document);
      return known === undefined ? [] : [[id, known] as const];
    });
  }

  async #load(document: Document, name: string): Promise<void> {
    void this.#peers.tell({ kind: "who", name });
    if (!name.startsWith("liv_")) return;
    const { queries } = this.#context.database;
    const row = await store.findDocument(queries, name);
    if (row === undefined) throw new UnknownDocumentError();
    Y.applyUpdate(document, row.snapshot, elsewhere);
    const { path, snapshot_seq: seq, pending_bytes: pendingBytes } = row;
    const known: OpenDocument = { roomId: roomOf(row), path, seq, heardAt: performance.now(), pendingBytes };
    await this.#apply(document, name, known);
    this.#open.set(document, known);
    // What a server has left that is gone comes into the file now.
    if (known.seq > row.snapshot_seq) this.settle(name).catch((err: unknown) => this.#complain(err));
  }

  /** Applies what was written after what has been heard of. What is not there any more is in the snapshot. */
  async #apply(document: Y.Doc, id: string, known: OpenDocument): Promise<void> {
    const { queries } = this.#context.database;
    known.heardAt = performance.now();
    for (;;) {
      const updates = await store.listUpdates(queries, id, known.seq);
      const row = await store.findDocument(queries, id);
      if (row === undefined) return;
      for (const { seq, update } of updates) {
        if (seq !== known.seq + 1) break;
        Y.applyUpdate(document, update, elsewhere);
        known.seq = seq;
      }
      if (row.snapshot_seq > known.seq) {
        Y.applyUpdate(document, row.snapshot, elsewhere);
        known.seq = row.snapshot_seq;
      }
      if (known.seq >= row.last_seq) return;
    }
  }

  /** A change is kept first, and only then applied, sent to the others and confirmed: that is what happens when this returns. */
  async #receive({ type, payload, connection, document, documentName, context: member }: beforeSyncPayload<Member>): Promise<void> {
    const known = this.#open.get(document);
    connection.readOnly = known === undefined;
    // It was unloaded just when they were let in: they come again, and get what the others have.
    if (this.#server.documents.get(documentName) !== document) return member.sendAway();
    if (type === 0 || known === undefined) return;
    try {
      const { isEmpty } = await this.#intake.check(connection, document, payload, member.actor.userId);
      if (isEmpty) return;
      await this.#kind.requireWriter(member.actor, member.roomId);
      if (known.pendingBytes + payload.length > mostPendingBytes)
        throw new AppError("live_too_large", { message: "It cannot be kept where it belongs, and too much waits for that." });
      const seq = await this.#log.append({ documentId: documentName, update: payload, userId: member.actor.userId });
      known.pendingBytes += payload.length;
      known.heardAt = performance.now();
      // It was unloaded meanwhile, and is open anew: the new one has to hear of this.
      if (this.#server.documents.get(documentName) !== document) this.#catchUpSoon([documentName]);
      else if (seq === known.seq + 1) known.seq = seq;
      void this.#peers.tell({ kind: "changed", name: documentName });
    } catch (thrown) {
      connection.readOnly = true;
      if (type === updateType && thrown instanceof RestsOnUnknownError) return askForAll(connection, document);
      const { code, message, status } = toAppError(thrown);
      if (status < 500) return connection.sendStateless(JSON.stringify({ type: "refused", code, message } satisfies LiveNotice));
      this.#complain(thrown);
      member.sendAway();
    }
  }

  /** Somebody wants a file back that is gone: the one thing that can be asked for. */
  async #putBack(connection: Connection<Member>, id: string): Promise<void> {
    const member = connection.context;
    // One question at a time of each: whoever asks without end is in nobody else's way.
    const question = `${id} ${member.actor.userId}`;
    if (id === member.roomId || this.#puttingBack.has(question)) return;
    this.#puttingBack.add(question);
    try {
      await this.#kind.requireWriter(member.actor, member.roomId);
      await this.#heed(id, this.#begin(id, member.actor));
    } catch (thrown) {
      const { code, message, status } = toAppError(thrown);
      if (status >= 500) this.#complain(thrown);
      connection.sendStateless(JSON.stringify({ type: "refused", code, message } satisfies LiveNotice));
    } finally {
      this.#puttingBack.delete(question);
    }
  }

  #begin(id: string, putBack: Actor | null = null): Promise<Settled> {
    const settling = this.#kind.settle(id, putBack);
    const done = settling.then((settled) => {
      for (const notice of settled.notices) this.#announce(id, notice);
      return settled;
    });
    const ended = done.finally(() => {
      if (this.#settling.get(id) === ended) this.#settling.delete(id);
    });
    this.#settling.set(id, ended);
    return ended;
  }

  /** Tells those who have a document open, here and on the other servers. */
  #announce(id: string, notice: LiveNotice): void {
    this.#relay(id, notice);
    void this.#peers.tell({ kind: "notice", name: id, notice });
  }

  #relay(name: string, notice: LiveNotice): void {
    const document = this.#server.documents.get(name);
    const known = document && this.#open.get(document);
    if (notice.type === "settled" && notice.problem === null && known !== undefined) known.pendingBytes = 0;
    document?.relayStateless(JSON.stringify(notice));
  }

  #hear(word: Word): void {
    const document = "name" in word ? this.#server.documents.get(word.name) : undefined;
    switch (word.kind) {
      case "changed":
        return this.#catchUpSoon([word.name]);
      case "notice":
        return this.#relay(word.name, word.notice);
      case "who":
        if (this.#server.documents.size > 0) void this.#peers.tell({ kind: "here" });
        if (document !== undefined) this.#tellPresence(document, [...document.awareness.getStates().keys()]);
        return;
      case "here":
        return;
      case "present":
        if (document !== undefined) applyAwarenessUpdate(document.awareness, Buffer.from(word.states, "base64"), elsewhere);
    }
  }

  #tellPresence({ awareness, name }: Document, clientIds: readonly number[]): void {
    for (const clientId of clientIds) {
      const states = Buffer.from(encodeAwarenessUpdate(awareness, [clientId])).toString("base64");
      void this.#peers.tell({ kind: "present", name, states });
    }
  }

  /** Hears of what was written on other servers. @throws AppError `database_unavailable` */
  async #catchUp(ids: readonly string[]): Promise<void> {
    const places = new Map((await store.findPlaces(this.#context.database.queries, ids)).map((place) => [place.id, place]));
    for (const id of ids) {
      const [document, place] = [this.#server.documents.get(id), places.get(id)];
      const known = document && this.#open.get(document);
      if (known === undefined || document === undefined) continue;
      if (place === undefined) this.#server.closeConnections(id);
      else if (place.last_seq > known.seq) await this.#apply(document, id, known);
      if (place === undefined || place.path === known.path) continue;
      known.path = place.path;
      this.#relay(id, { type: "moved", path: place.path });
    }
  }

  /** The same, of what is looked for again soon. */
  #catchUpSoon(ids: readonly string[]): void {
    if (ids.length > 0) this.#catchUp(ids).catch((err: unknown) => this.#complain(err));
  }

  /** What others have made of what is open comes into its documents. */
  async #thingChanged(roomId: string): Promise<void> {
    this.#relay(roomId, { type: "files" });
    const open = this.#listOpen().filter(([, known]) => known.roomId === roomId);
    const ids = open.map(([id]) => id);
    if (ids.length === 0) return;
    try {
      await this.#catchUp(ids);
      for (const id of await this.#kind.listDiverged(roomId, ids)) await this.settle(id);
    } catch (error) {
      this.#complain(error); // the next change brings it in, or whoever opens it
    }
  }

  /** What was missed is heard of, and what others have left is brought into the files. Where nothing happens, nothing is asked. */
  async #lookAround(round: number): Promise<void> {
    const isSweep = round % sweepEvery === 0;
    if (round % hereEvery === 0 && this.#server.documents.size > 0) void this.#peers.tell({ kind: "here" });
    const since = performance.now() - livelyMs;
    const lively = this.#listOpen().filter(([, { heardAt }]) => isSweep || heardAt > since);
    const ids = lively.map(([id]) => id);
    if (ids.length > 0) await this.#catchUp(ids);
    if (!isSweep) return;
    const { queries } = this.#context.database;
    await store.touchDocuments(queries, ids);
    for (const id of await this.#kind.takeLeft(leftMs, mostLeft)) await this.settle(id);
    await store.removeUnused(queries, unusedMs, detachedMs, mostLeft);
  }

  #complain(err: unknown): void {
    if (!this.#stopping.signal.aborted) this.#context.logger.warn({ err }, "a live document could not be looked after");
  }
}
