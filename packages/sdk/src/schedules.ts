import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { Schedule, scheduleRoutes } from "@syla/contracts/schedules";
import { iteratePages } from "./pages.ts";
import type { CallOptions, ChangeOptions, CreateOptions, Transport } from "./transport.ts";

/** Which schedules to list. */
export type ListSchedulesQuery = Omit<Partial<RouteQuery<typeof scheduleRoutes.listSchedules>>, "limit" | "cursor">;

/** Programs that run again and again. */
export interface Schedules {
  /** Yours, newest first; everybody's with `owner: "all"`, for administrators. */
  list(query?: ListSchedulesQuery, options?: CallOptions): AsyncGenerator<Schedule, void, void>;
  create(input: RouteBody<typeof scheduleRoutes.createSchedule>, options?: CreateOptions): Promise<Schedule>;
  get(id: string, options?: CallOptions): Promise<Schedule>;
  update(id: string, change: RouteBody<typeof scheduleRoutes.updateSchedule>, options?: ChangeOptions): Promise<Schedule>;
  delete(id: string, options?: CallOptions): Promise<void>;
  /** The next five times of a cron expression. */
  preview(cron: string, timeZone: string, options?: CallOptions): Promise<readonly string[]>;
}

export function createSchedules(transport: Transport): Schedules {
  return {
    list: (query = {}, options = {}) =>
      iteratePages((cursor) =>
        transport.json("listSchedules", { ...options, query: { ...query, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    create: (input, options = {}) => transport.json("createSchedule", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getSchedule", { ...options, params: { id } }),
    update: (id, change, options = {}) => transport.json("updateSchedule", { ...options, params: { id }, body: change }),
    delete: async (id, options = {}) => void (await transport.json("deleteSchedule", { ...options, params: { id } })),
    preview: async (cron, timeZone, options = {}) =>
      (await transport.json("previewSchedule", { ...options, query: { cron, timeZone } })).next,
  };
}
