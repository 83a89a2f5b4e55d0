import type { Announcement, AnnouncementInput } from "@syla/contracts/admin";
import { AppError } from "@syla/contracts/errors";
import type { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { notifyEach } from "../../notifications/service.ts";
import type { Database } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import * as store from "./store.ts";

const peopleAtOnce = 200;

/** What administrators say to everybody. */
export class Announcements {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<Announcement[]> {
    return (await store.listAnnouncements(this.#database.queries)).map(toAnnouncement);
  }

  /** Puts up the banner, and tells everybody when wanted: some people at a time, so that nobody else's notifications wait for long. */
  async create(actor: Actor, input: z.output<typeof AnnouncementInput>): Promise<Announcement> {
    const { queries } = this.#database;
    const { title, body, level, endsAt, notify } = input;
    const endsOn = endsAt === null ? null : new Date(endsAt);
    const row = await store.insertAnnouncement(queries, {
      id: newId("ann"),
      title,
      body,
      level,
      ends_at: endsOn,
      created_by: actor.userId,
    });
    if (notify) await this.#tellEverybody(row);
    return toAnnouncement(row);
  }

  async #tellEverybody({ id, title, body }: store.AnnouncementRow): Promise<void> {
    const { queries } = this.#database;
    const message = { type: "system", title, body, details: { announcementId: id } } as const;
    for (let after = ""; ;) {
      const userIds = await store.listActiveUsers(queries, after, peopleAtOnce);
      await queries.transaction().execute((work) => notifyEach(work, userIds, message));
      const last = userIds.at(-1);
      if (last === undefined || userIds.length < peopleAtOnce) return;
      after = last;
    }
  }

  /** @throws AppError `not_found` */
  async delete(id: string): Promise<void> {
    if (!(await store.deleteAnnouncement(this.#database.queries, id))) throw new AppError("not_found");
  }
}

function toAnnouncement(row: store.AnnouncementRow): Announcement {
  const { id, title, body, level } = row;
  return { id, title, body, level, createdAt: row.created_at.toISOString(), endsAt: row.ends_at?.toISOString() ?? null };
}
