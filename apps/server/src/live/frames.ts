import { LiveRequest } from "@syla/contracts/workspace-live";
import * as decoding from "lib0/decoding";
import * as Y from "yjs";

/** Which of the protocol's messages people may send; others are for servers among themselves. */
const allowed = { sync: 0, awareness: 1, auth: 2, query: 3, syncReply: 4, request: 5, close: 7 } as const;
/** Of the messages about who somebody is, the only one that people send. */
const token = 0;

/** Of a message: whether it is one that is queued. Null: it is none that people may send. */
export function readFrame(bytes: Uint8Array): { readonly isCounted: boolean } | null {
  try {
    const decoder = decoding.createDecoder(bytes);
    decoding.readVarString(decoder);
    const type = decoding.readVarUint(decoder);
    switch (type) {
      case allowed.sync:
      case allowed.syncReply:
        if (!isSync(decoding.readVarUint(decoder), decoding.readVarUint8Array(decoder))) return null;
        break;
      case allowed.awareness:
        if (!isAwareness(decoding.readVarUint8Array(decoder))) return null;
        break;
      case allowed.auth:
        if (decoding.readVarUint(decoder) !== token) return null;
        decoding.readVarString(decoder);
        break;
      case allowed.request:
        LiveRequest.parse(JSON.parse(decoding.readVarString(decoder)));
        break;
      case allowed.query:
      case allowed.close:
        break;
      default:
        return null;
    }
    return { isCounted: type !== allowed.auth };
  } catch {
    return null;
  }
}

/** What somebody has, an answer to that, and a change; read for being what they are, or it throws. */
function isSync(kind: number, bytes: Uint8Array): boolean {
  if (kind === 0) Y.decodeStateVector(bytes);
  else Y.decodeUpdate(bytes);
  return kind <= 2;
}

const mostStates = 8;
const mostStateCharacters = 4096;

/** States of a few editors, each small. */
function isAwareness(bytes: Uint8Array): boolean {
  const decoder = decoding.createDecoder(bytes);
  const count = decoding.readVarUint(decoder);
  if (count > mostStates) return false;
  for (let index = 0; index < count; index += 1) {
    decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
    const text = decoding.readVarString(decoder);
    if (text.length > mostStateCharacters) return false;
    const state: unknown = JSON.parse(text);
    if (typeof state !== "object" || Array.isArray(state)) return false;
  }
  return true;
}
