import { setTimeout as sleep } from "node:timers/promises";
import { Hocuspocus, type beforeSyncPayload, type Document } from "@hocuspocus/server";
import { AppError } from "@syla/contracts/errors";
import type { LiveDocument, LiveNotice, WorkspacePresenceEvent } from "@syla/contracts/workspace-live";
import { applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import type { WebSocket } from "ws";
import * as Y from "yjs";
import type { Actor } from "../../access/actor.ts";
import type { Hold } from "../../access/service.ts";
import { toAppError } from "../../platform/http-problem.ts";
import type { Notifications } from "../../platform/notifications.ts";
import type { Redis } from "../../platform/redis.ts";
import type { Service } from "../../platform/service.ts";
import { closeWhenEnded, keepAlive } from "../../platform/socket.ts";
import { loadWorkspace, toThing } from "../loading.ts";
import { checkUpdate, isMissing, type NewContent } from "./check-update.ts";
import { mayWrite, requireWriter, type Member } from "./connection.ts";
import { readFrame } from "./frames.ts";
import { Peers, type Word } from "./peers.ts";
import { correctStates, listPeople } from "./presence.ts";
import { openDocument, settleDocument, type SettleContext, type Settled } from "./settle.ts";
import * as store from "./store.ts";
import { UpdateLog } from "./update-log.ts";

/** What live editing is made of. */
export interface LiveContext extends SettleContext {
  readonly notifications: Notifications;
  readonly redis: Pick<Redis, "state" | "publish" | "subscribe">;
}

/** Told of each workspace whose files have changed, see the migration `0080-live-documents`. */
const filesChannel = "workspace_files";
/** How long after the last change a document comes into its file, and at the latest, ms. */
const settleMs = 2000;
const longestSettleMs = 15_000;
/** What another server has written is looked for this often, besides being told. */
const catchUpMs = 2000;
/** What was left by a server that is gone is brought into its file after so long. */
const leftMs = 30_000;
const mostLeft = 50;
/** What nobody has had open for so long is forgotten when it holds nothing of its own; what was written after the file was gone, later. */
const unusedMs = 7 * 86_400_000;
const detachedMs = 30 * 86_400_000;
const sweepEvery = 30;
/** So much may wait to come into a file that cannot be written. */
const mostPendingBytes = 16 * 1024 * 1024;
/** What one connection may have sent that is not done yet. */
const mostBufferedBytes = 8 * 1024 * 1024;
/** Changes that came from elsewhere are kept already. */
const elsewhere = { source: "redis" } as const;
/** Closing codes above 4000 are ours. */
const tooFast = 4008;

/** The name that the client is told it by. What has a message is written to the server's log. */
class UnknownDocumentError extends Error {
  readonly reason = "not_found";
}

/** A document that somebody has open on this server. */
interface OpenDocument {
  readonly workspaceId: string;
  path: string;
  /** Everything up to it has been heard of. */
  seq: number;
  /** What was written since it came into its file, bytes. */
  pendingBytes: number;
}

/** Files of workspaces that people edit together: their documents, the room of those who are there, and what holds them and the files together. */
export class LiveWorkspaces implements Service {
  readonly name = "live";
  readonly #context: LiveContext;
  readonly #log: UpdateLog;
  readonly #peers: Peers;
  readonly #server: Hocuspocus<Member>;
  readonly #sockets = new Set<WebSocket>();
  readonly #open = new Map<string, OpenDocument>();
  /** What each connection has sent that is not done yet, bytes. */
  readonly #sent = new WeakMap<object, number>();
  readonly #settling = new Map<string, Promise<Settled>>();
  readonly #stopping = new AbortController();
  #ends: (() => void)[] = [];

  constructor(context: LiveContext) {
    this.#context = context;
    this.#log = new UpdateLog(context.database);
    this.#peers = new Peers(context.redis, context.database, context.notifications);
    this.#server = new Hocuspocus<Member>({
      quiet: true,
      debounce: settleMs,
      maxDebounce: longestSettleMs,
      onAuthenticate: async ({ documentName, context: member, connectionConfig }) => {
        if (documentName === member.workspaceId) return;
        const row = await store.findDocument(context.database.queries, documentName);
        if (row?.workspace_id !== member.workspaceId) throw new UnknownDocumentError();
        connectionConfig.readOnly = !(await mayWrite(context, member));
      },
      onLoadDocument: ({ document, documentName }) => this.#load(document, documentName),
      afterUnloadDocument: async ({ documentName }) => void this.#open.delete(documentName),
      beforeSync: (payload) => this.#receive(payload),
      beforeHandleAwareness: async ({ document, states, connection, context: member }) => {
        if (connection === undefined || member === undefined) return;
        const others = [...document.connections].filter(([other]) => other !== connection);
        correctStates(states, member, document.name === member.workspaceId, (clientId) =>
          others.some(([, { clients }]) => clients.has(clientId)),
        );
      },
      onAwarenessUpdate: async ({ document, added, updated, removed, transactionOrigin }) => {
        if (transactionOrigin !== elsewhere) this.#tellPresence(document, [...added, ...updated, ...removed]);
      },
      afterHandleMessage: async ({ connection, update }) => this.#count(connection.webSocket as never, -update.length),
      onStoreDocument: async ({ documentName }) => {
        if (this.#open.has(documentName)) await this.settle(documentName);
      },
    });
  }

  /** Begins to hear of files that change, and of the other servers. */
  async listen(): Promise<void> {
    const { notifications } = this.#context;
    const look = () => void this.#catchUp([...this.#open.keys()]);
    this.#ends = [
      await this.#peers.listen((word) => this.#hear(word), look),
      await notifications.listen(filesChannel, (id) => void this.#filesChanged(id), look),
    ];
  }

  /** The live document of a file. @throws AppError `not_found`, `file_not_found`, `live_not_text`, `live_too_large`, … */
  async document(actor: Actor, id: string, path: string): Promise<LiveDocument> {
    const workspace = await loadWorkspace(this.#context, actor, "workspace:read", id);
    const row = await openDocument(this.#context, workspace, path);
    return { id: row.id, path: row.path, mayEdit: await mayWrite(this.#context, { actor, workspaceId: id, name: "" }) };
  }

  /** Lets somebody in, before the socket opens. What is answered serves it. @throws AppError `not_found`, `workspace_deleted` */
  async join(actor: Actor, id: string, gone: AbortSignal): Promise<(socket: WebSocket) => void> {
    const { hold, name } = await this.#enter(actor, id, gone);
    return (socket) => {
      socket.once("close", () => hold.release());
      closeWhenEnded(socket, hold.signal);
      this.#serve(socket, { actor, workspaceId: id, name });
    };
  }

  /** Who is there, now and whenever that changes. @throws AppError `not_found`, `workspace_deleted` */
  async follow(
    actor: Actor,
    id: string,
    gone: AbortSignal,
  ): Promise<{ hold: Hold; events: AsyncGenerator<WorkspacePresenceEvent, void, void> }> {
    const { hold } = await this.#enter(actor, id, gone);
    return { hold, events: this.#people(id, hold.signal) };
  }

  /** Brings what was written in a workspace's documents into its files, on whichever server it was: who reads the files next reads that. */
  async settleAll(workspaceId: string): Promise<void> {
    for (const id of await store.listDocuments(this.#context.database.queries, workspaceId, true)) await this.settle(id);
  }

  /** Brings a document and its file together; those who have it open are told what came of it. */
  async settle(id: string): Promise<void> {
    // Who wants it while it is being done may have written since it began: it is done once more for all of them.
    const before = this.#settling.get(id);
    if (before !== undefined) await before.catch(() => {});
    const settled = this.#settling.get(id) ?? this.#begin(id);
    const { isChanged } = await settled;
    if (isChanged) void this.#peers.tell({ kind: "changed", name: id });
    await this.#catchUp([id]);
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let round = 0; !signal.aborted; round += 1) {
      await sleep(catchUpMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#lookAround(round % sweepEvery === 0).catch((err: unknown) =>
        this.#context.logger.warn({ err }, "live documents could not be looked after"),
      );
    }
  }

  async drain(): Promise<void> {
    for (const id of this.#open.keys()) await this.settle(id).catch(() => {});
  }

  /** Hears of nothing any more. */
  forget(): void {
    this.#stopping.abort();
    for (const end of this.#ends) end();
  }

  async stop(): Promise<void> {
    this.forget();
    for (const socket of this.#sockets) socket.close(1012, "try_again");
    await this.drain();
  }

  async #enter(actor: Actor, id: string, gone: AbortSignal): Promise<{ hold: Hold; name: string }> {
    const { access, database } = this.#context;
    const row = await loadWorkspace(this.#context, actor, "workspace:read", id);
    if (row.deleted_at !== null) throw new AppError("workspace_deleted");
    const load = async () => {
      const now = await store.findWorkspacePlace(database.queries, id);
      return now === undefined || now.deleted_at !== null ? undefined : toThing(now);
    };
    const name = await store.findName(database.queries, actor.userId);
    return { hold: access.hold(actor, "workspace:read", toThing(row), load, gone), name };
  }

  #serve(socket: WebSocket, member: Member): void {
    keepAlive(socket);
    this.#sockets.add(socket);
    this.#sent.set(socket, 0);
    const client = this.#server.handleConnection(socket as never, new Request("http://workspace/"), member);
    socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      const frame = isBinary ? readFrame(bytes) : null;
      if (frame === null) return socket.close(1007, "invalid_request");
      if (frame.isCounted) this.#count(socket, bytes.length);
      client.handleMessage(bytes);
    });
    socket.on("close", (code, reason) => {
      this.#sockets.delete(socket);
      client.handleClose({ code, reason: reason.toString() });
    });
  }

  /** Who sends faster than it can be kept waits; who does not wait is cut off. */
  #count(socket: WebSocket, bytes: number): void {
    const sum = Math.max(0, (this.#sent.get(socket) ?? 0) + bytes);
    this.#sent.set(socket, sum);
    if (sum > mostBufferedBytes) socket.close(tooFast, "too_fast");
  }

  async #load(document: Document, name: string): Promise<void> {
    void this.#peers.tell({ kind: "who", name });
    if (!name.startsWith("liv_")) return;
    const { queries } = this.#context.database;
    const row = await store.findDocument(queries, name);
    if (row === undefined) throw new AppError("not_found");
    const known = { workspaceId: row.workspace_id, path: row.path, seq: 0, pendingBytes: row.pending_bytes };
    Y.applyUpdate(document, row.snapshot, elsewhere);
    known.seq = row.snapshot_seq;
    await this.#apply(document, name, known);
    this.#open.set(name, known);
    // What a server has left that is gone comes into the file now.
    if (known.seq > row.snapshot_seq) this.settle(name).catch((err: unknown) => this.#complain(err));
  }

  /** Applies what was written after what has been heard of. What is not there any more is in the snapshot. */
  async #apply(document: Y.Doc, id: string, known: OpenDocument): Promise<void> {
    const { queries } = this.#context.database;
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
    const known = this.#open.get(documentName);
    connection.readOnly = known === undefined;
    if (type === 0 || known === undefined) return;
    try {
      const { isEmpty, clientIds } = await this.#check(document, documentName, payload);
      if (isEmpty) return;
      await requireWriter(this.#context, member);
      if (known.pendingBytes + payload.length > mostPendingBytes)
        throw new AppError("live_too_large", { message: "The file cannot be written, and too much waits for that." });
      await this.#claim(documentName, clientIds, member.actor.userId);
      const seq = await this.#log.append({ documentId: documentName, update: payload, userId: member.actor.userId });
      known.pendingBytes += payload.length;
      if (seq === known.seq + 1) known.seq = seq;
      void this.#peers.tell({ kind: "changed", name: documentName });
    } catch (thrown) {
      connection.readOnly = true;
      const { code, message, status } = toAppError(thrown);
      if (status < 500) return connection.sendStateless(JSON.stringify({ type: "refused", code, message } satisfies LiveNotice));
      this.#complain(thrown);
      connection.webSocket.close(1011, "try_again"); // they come again with what was not confirmed
    }
  }

  /** What a change rests on may have been written on another server just now. */
  async #check(document: Y.Doc, id: string, update: Uint8Array): Promise<NewContent> {
    try {
      return checkUpdate(document, update);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#catchUp([id]);
      return checkUpdate(document, update);
    }
  }

  /** Nobody writes in somebody else's name. */
  async #claim(id: string, clientIds: readonly number[], userId: string): Promise<void> {
    if (clientIds.length === 0) return;
    const foreign = await store.claimReplicas(this.#context.database.queries, id, clientIds, userId);
    if (foreign.length > 0) throw new AppError("live_update_invalid", { message: "What was sent is written in somebody else's name." });
  }

  #begin(id: string): Promise<Settled> {
    const settling = settleDocument(this.#context, id);
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
    const known = this.#open.get(name);
    if (notice.type === "settled" && notice.problem === null && known !== undefined) known.pendingBytes = 0;
    this.#server.documents.get(name)?.relayStateless(JSON.stringify(notice));
  }

  #hear(word: Word): void {
    const document = "name" in word ? this.#server.documents.get(word.name) : undefined;
    switch (word.kind) {
      case "changed":
        return void this.#catchUp([word.name]);
      case "notice":
        return this.#relay(word.name, word.notice);
      case "who":
        if (this.#server.documents.size > 0) void this.#peers.tell({ kind: "here" });
        if (document !== undefined) this.#tellPresence(document, [...document.awareness.getStates().keys()]);
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

  /** Hears of what was written on other servers. */
  async #catchUp(ids: readonly string[]): Promise<void> {
    try {
      const places = new Map((await store.findPlaces(this.#context.database.queries, ids)).map((place) => [place.id, place]));
      for (const id of ids) {
        const [known, document, place] = [this.#open.get(id), this.#server.documents.get(id), places.get(id)];
        if (known === undefined || document === undefined) continue;
        if (place === undefined) this.#server.closeConnections(id);
        else if (place.last_seq > known.seq) await this.#apply(document, id, known);
        if (place === undefined || place.path === known.path) continue;
        known.path = place.path;
        this.#relay(id, { type: "moved", path: place.path });
      }
    } catch (error) {
      this.#complain(error); // it is looked for again soon
    }
  }

  async #filesChanged(workspaceId: string): Promise<void> {
    this.#relay(workspaceId, { type: "files" });
    const ids = [...this.#open].filter(([, known]) => known.workspaceId === workspaceId).map(([id]) => id);
    await this.#catchUp(ids);
    for (const id of ids) await this.settle(id).catch((err: unknown) => this.#complain(err));
  }

  async *#people(id: string, signal: AbortSignal): AsyncGenerator<WorkspacePresenceEvent, void, void> {
    const room = await this.#server.openDirectConnection(id);
    const awareness = room.document?.awareness;
    let changed = Promise.withResolvers<void>();
    const wake = () => changed.resolve();
    awareness?.on("change", wake);
    signal.addEventListener("abort", wake, { once: true });
    try {
      let shown = "";
      while (!signal.aborted && awareness !== undefined) {
        changed = Promise.withResolvers();
        const people = listPeople(awareness.getStates());
        const now = JSON.stringify(people);
        if (now !== shown) yield { type: "people", people };
        else await changed.promise;
        shown = now;
      }
    } finally {
      awareness?.off("change", wake);
      await room.disconnect();
    }
  }

  /** What was missed is heard of, and what others have left is brought into the files. */
  async #lookAround(isSweep: boolean): Promise<void> {
    const ids = [...this.#open.keys()];
    if (this.#server.documents.size > 0) void this.#peers.tell({ kind: "here" });
    if (ids.length > 0) await this.#catchUp(ids);
    if (!isSweep) return;
    const { queries } = this.#context.database;
    await store.touchDocuments(queries, ids);
    for (const id of await store.listLeft(queries, leftMs, mostLeft)) await this.settle(id);
    await store.removeUnused(queries, unusedMs, detachedMs, mostLeft);
  }

  #complain(err: unknown): void {
    if (!this.#stopping.signal.aborted) this.#context.logger.warn({ err }, "a live document could not be looked after");
  }
}
