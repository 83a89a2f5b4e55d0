import type { Hocuspocus } from "@hocuspocus/server";
import { colorOf, PresenceWish, type WorkspacePerson, type WorkspacePresenceEvent } from "@syla/contracts/workspace-live";
import type { Member } from "./member.ts";

type States = Map<number, Record<string, unknown>>;

const mostCursorCharacters = 4000;

/**
 * What somebody says of themselves, as others are told it: in their own name, and nothing else than the server knows. In the room that is the file that
 * they have before them, in a document the place of their cursor, and what they are moving if they may write. What is of somebody else's editor
 * (`isTaken`) is left out.
 */
export function correctStates(
  states: States,
  { actor, name, mayWrite = false }: Member,
  isRoom: boolean,
  isTaken: (clientId: number) => boolean,
): void {
  const user = { id: actor.userId, name, color: colorOf(actor.userId) };
  for (const [clientId, state] of states) {
    if (isTaken(clientId)) states.delete(clientId);
    else if (isRoom) states.set(clientId, { user, ...PresenceWish.parse(state) });
    else states.set(clientId, { user, cursor: readCursor(state["cursor"], mayWrite) });
  }
}

/** In a file the ends of a selection, in the words of Yjs; in a composition a place on the canvas, and what is moved there. */
function readCursor(cursor: unknown, mayWrite: boolean): unknown {
  if (typeof cursor !== "object" || cursor === null || JSON.stringify(cursor).length > mostCursorCharacters) return null;
  return mayWrite || !("drag" in cursor) ? cursor : { ...cursor, drag: null };
}

/** Whether a state, as others are told it, is of another person's editor. */
export function isSomebodyElses(state: Record<string, unknown> | undefined, userId: string): boolean {
  const user = state?.["user"] as { readonly id?: unknown } | undefined;
  return user !== undefined && user.id !== userId;
}

/** Who is in a room, by name. */
function listPeople(states: ReadonlyMap<number, unknown>): WorkspacePerson[] {
  const people = [...states].flatMap(([clientId, state]) => {
    const { user, ...rest } = state as { readonly user?: { readonly id?: unknown; readonly name?: unknown } };
    const wish = PresenceWish.safeParse(rest);
    if (typeof user?.id !== "string" || typeof user.name !== "string" || !wish.success) return [];
    return [{ key: String(clientId), id: user.id, name: user.name, ...wish.data }];
  });
  return people.toSorted((one, other) => one.name.localeCompare(other.name) || one.key.localeCompare(other.key));
}

/** Everybody who is in a room, now and whenever that changes. What changes several times at once is told once. */
export async function* followPeople(
  server: Pick<Hocuspocus<Member>, "openDirectConnection">,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<WorkspacePresenceEvent, void, void> {
  const room = await server.openDirectConnection(id);
  const awareness = room.document?.awareness;
  if (awareness === undefined) return;
  let changed = Promise.withResolvers<void>();
  const wake = () => changed.resolve();
  awareness.on("change", wake);
  signal.addEventListener("abort", wake, { once: true });
  try {
    let shown = "";
    while (!signal.aborted) {
      // Before it is looked at: what comes while somebody reads is seen with the next look.
      changed = Promise.withResolvers();
      const people = listPeople(awareness.getStates());
      const now = JSON.stringify(people);
      if (now === shown) await changed.promise;
      else yield { type: "people", people };
      shown = now;
    }
  } finally {
    awareness.off("change", wake);
    signal.removeEventListener("abort", wake);
    await room.disconnect();
  }
}
