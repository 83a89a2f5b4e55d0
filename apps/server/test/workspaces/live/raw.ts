import { once } from "node:events";
import { LiveNotice } from "@syla/contracts/workspace-live";
import type { TestServer } from "@syla/testkit/server";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { WebSocket } from "ws";
import type { Person } from "../../access/people.ts";

/** Messages of the protocol of Hocuspocus, by their numbers. */
export const types = { sync: 0, awareness: 1, auth: 2, query: 3, syncReply: 4, stateless: 5, broadcast: 6, close: 7, status: 8 } as const;
/** What is inside of messages of the type `sync`. */
export const syncs = { step1: 0, step2: 1, update: 2 } as const;

/** The first byte of the answer to who somebody is, where that is enough. */
const letIn = 2;

interface Heard {
  readonly name: string;
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** A connection that says whatever it is told to say. */
export interface RawConnection {
  readonly socket: WebSocket;
  /** What the server has said so far. */
  readonly heard: readonly Heard[];
  /** Why the server closed it. */
  readonly closed: Promise<number>;
  say(name: string, type: number, ...more: (number | string | Uint8Array)[]): void;
  /** Asks to be let into a document. @returns whether that was granted */
  enter(name: string): Promise<boolean>;
  /** Resolves when all that was said of a document, into which it was let, has been looked at, or it was put out. */
  done(name: string): Promise<void>;
  /** How many changes of a document were confirmed so far. */
  confirmed(name: string): number;
  /** The codes of what was refused in a document so far. */
  refusals(name: string): string[];
  /** What was told of somebody's editor so far: where it is, and the how-manyth word of it that is. */
  shown(name: string, clientId: number): { readonly clock: number; readonly state: unknown }[];
}

/** Opens a connection to a workspace. */
export async function openRaw(server: TestServer, person: Pick<Person, "headers">, workspaceId: string): Promise<RawConnection> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/workspaces/${workspaceId}/live`, { headers: person.headers });
  const heard: Heard[] = [];
  const listeners = new Set<() => void>();
  socket.on("message", (data) => {
    const decoder = decoding.createDecoder(data as Buffer);
    heard.push({
      name: decoding.readVarString(decoder),
      type: decoding.readVarUint(decoder),
      bytes: decoding.readTailAsUint8Array(decoder),
    });
    for (const listener of listeners) listener();
  });
  socket.on("error", () => {});
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await once(socket, "open");
  const asked = new Map<string, number>();
  const say: RawConnection["say"] = (name, type, ...more) => {
    if (type === types.sync && more[0] === syncs.step1) asked.set(name, (asked.get(name) ?? 0) + 1);
    socket.send(encode(name, type, ...more));
  };
  const until = (isThere: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isThere()) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  const of = (name: string, type: number) => heard.filter((one) => one.name === name && one.type === type);
  return {
    socket,
    heard,
    closed,
    say,
    async enter(name) {
      const before = of(name, types.auth).length;
      say(name, types.auth, 0, "");
      await until(() => of(name, types.auth).length > before);
      return of(name, types.auth).at(-1)?.bytes[0] === letIn;
    },
    async done(name) {
      say(name, types.sync, syncs.step1, Uint8Array.of(0));
      const isAnswer = ({ bytes }: Heard) => bytes[0] === syncs.step2;
      await until(() => of(name, types.sync).filter(isAnswer).length >= (asked.get(name) ?? 0) || of(name, types.close).length > 0);
    },
    confirmed: (name) => of(name, types.status).filter(({ bytes }) => bytes[0] === 1).length,
    refusals: (name) =>
      of(name, types.stateless).flatMap((one) => {
        const notice = LiveNotice.parse(JSON.parse(decoding.readVarString(decoding.createDecoder(one.bytes))));
        return notice.type === "refused" ? [notice.code] : [];
      }),
    shown: (name, clientId) =>
      of(name, types.awareness)
        .flatMap(({ bytes }) => readStates(bytes))
        .filter((state) => state.clientId === clientId),
  };
}

/** What a message of the type `awareness` says of editors. */
function readStates(message: Uint8Array): { clientId: number; clock: number; state: unknown }[] {
  const decoder = decoding.createDecoder(decoding.readVarUint8Array(decoding.createDecoder(message)));
  return Array.from({ length: decoding.readVarUint(decoder) }, () => ({
    clientId: decoding.readVarUint(decoder),
    clock: decoding.readVarUint(decoder),
    state: JSON.parse(decoding.readVarString(decoder)) as unknown,
  }));
}

/** A message: numbers, texts and pieces of bytes, one after the other. */
export function encode(name: string, type: number, ...more: (number | string | Uint8Array)[]): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarString(encoder, name);
  encoding.writeVarUint(encoder, type);
  for (const part of more) {
    if (typeof part === "number") encoding.writeVarUint(encoder, part);
    else if (typeof part === "string") encoding.writeVarString(encoder, part);
    else encoding.writeVarUint8Array(encoder, part);
  }
  return encoding.toUint8Array(encoder);
}

/** A change that puts a text to the beginning, by a replica that is wherever it says. */
export function forgedInsert(client: number, clock: number, text: string, type = "content"): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const number of [1, 1, client, clock]) encoding.writeVarUint(encoder, number);
  encoding.writeUint8(encoder, 4); // text that rests on nothing
  encoding.writeVarUint(encoder, 1);
  encoding.writeVarString(encoder, type);
  encoding.writeVarString(encoder, text);
  encoding.writeVarUint(encoder, 0); // nothing is deleted
  return encoding.toUint8Array(encoder);
}

/** A change that deletes what a replica wrote. */
export function forgedDelete(client: number, clock: number, length: number): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const number of [0, 1, client, 1, clock, length]) encoding.writeVarUint(encoder, number);
  return encoding.toUint8Array(encoder);
}

/** What somebody's editor is said to show of itself. */
export function forgedState(client: number, clock: number, state: string): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const number of [1, client, clock]) encoding.writeVarUint(encoder, number);
  encoding.writeVarString(encoder, state);
  return encoding.toUint8Array(encoder);
}
