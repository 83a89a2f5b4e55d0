import { AppError } from "@syla/contracts/errors";

/** So many builds that one person has begun go on at once: few go on at all, and others wait for their turn as well. */
const mostOfPerson = 3;

/** The builds that people have begun ahead, until they are done. */
export class StartedBuilds {
  readonly #ofPerson = new Map<string, Set<string>>();

  /** @throws AppError `queue_full` when they have begun as many as they may */
  requireRoom(userId: string): void {
    if ((this.#ofPerson.get(userId)?.size ?? 0) < mostOfPerson) return;
    throw new AppError("queue_full", {
      message: `${mostOfPerson} environments are being built for you already.`,
      retryAfter: 10,
    });
  }

  /** Counts a build; `end` is to be called once, when it is done. Null: they have begun this one already. @throws AppError `queue_full` */
  begin(userId: string, environmentId: string): { end: () => void } | null {
    const builds = this.#ofPerson.get(userId) ?? new Set();
    if (builds.has(environmentId)) return null;
    this.requireRoom(userId);
    this.#ofPerson.set(userId, builds.add(environmentId));
    const end = () => {
      builds.delete(environmentId);
      if (builds.size === 0) this.#ofPerson.delete(userId);
    };
    return { end };
  }
}
