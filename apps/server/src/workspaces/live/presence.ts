import { colorOf, PresenceWish, type WorkspacePerson } from "@syla/contracts/workspace-live";
import type { Member } from "./connection.ts";

type States = Map<number, Record<string, unknown>>;

const mostCursorCharacters = 2000;

/**
 * What somebody says of themselves, as others are told it: in their own name, and nothing else than the server knows. In the room that is the file that
 * they have before them, in a document the place of their cursor. What is of somebody else's editor (`isTaken`) is left out.
 */
export function correctStates(states: States, { actor, name }: Member, isRoom: boolean, isTaken: (clientId: number) => boolean): void {
  const user = { id: actor.userId, name, color: colorOf(actor.userId) };
  for (const [clientId, state] of states) {
    if (isTaken(clientId)) states.delete(clientId);
    else if (isRoom) states.set(clientId, { user, ...PresenceWish.parse(state) });
    else states.set(clientId, { user, cursor: readCursor(state["cursor"]) });
  }
}

/** The ends of a selection, in the words of Yjs. */
function readCursor(cursor: unknown): unknown {
  return typeof cursor === "object" && JSON.stringify(cursor).length <= mostCursorCharacters ? cursor : null;
}

/** Who is in a room, by name. */
export function listPeople(states: ReadonlyMap<number, unknown>): WorkspacePerson[] {
  const people = [...states].flatMap(([clientId, state]) => {
    const { user, ...rest } = state as { readonly user?: { readonly id?: unknown; readonly name?: unknown } };
    const wish = PresenceWish.safeParse(rest);
    if (typeof user?.id !== "string" || typeof user.name !== "string" || !wish.success) return [];
    return [{ key: String(clientId), id: user.id, name: user.name, ...wish.data }];
  });
  return people.toSorted((one, other) => one.name.localeCompare(other.name) || one.key.localeCompare(other.key));
}
