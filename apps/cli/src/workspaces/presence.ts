import type { WorkspacePerson } from "@syla/sdk";

/** What somebody has done in a workspace. */
export interface PresenceChange {
  readonly type: "joined" | "left" | "opened";
  readonly id: string;
  readonly name: string;
  /** The file that they have before them. */
  readonly path: string | null;
}

/** What has changed between two looks at who is there; who is there twice is told of once. */
export function sayChanges(before: readonly WorkspacePerson[], now: readonly WorkspacePerson[]): PresenceChange[] {
  const [was, is] = [byPerson(before), byPerson(now)];
  const changes: PresenceChange[] = [];
  for (const [id, { name }] of was) if (!is.has(id)) changes.push({ type: "left", id, name, path: null });
  for (const [id, { name, path }] of is) {
    const old = was.get(id);
    if (old === undefined) changes.push({ type: "joined", id, name, path });
    else if (old.path !== path && path !== null) changes.push({ type: "opened", id, name, path });
  }
  return changes;
}

/** Each person by their id, with a file that they have open, where there is one. */
function byPerson(people: readonly WorkspacePerson[]): Map<string, WorkspacePerson> {
  const found = new Map<string, WorkspacePerson>();
  for (const person of people) if ((found.get(person.id)?.path ?? null) === null) found.set(person.id, person);
  return found;
}
