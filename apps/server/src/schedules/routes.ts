import { scheduleRoutes } from "@syla/contracts/schedules";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { readRevision, withEtag } from "../platform/revision.ts";
import type { Schedules } from "./service.ts";

/** Binds schedules. */
export function registerScheduleRoutes(http: Http, schedules: Schedules): void {
  http.bind(scheduleRoutes.listSchedules, async ({ query }, call) => await schedules.list(call.actor, query));
  http.bind(scheduleRoutes.createSchedule, async ({ body }, call) => {
    const schedule = await schedules.create(call.actor, body);
    return answer(201, schedule, { location: `/api/v1/schedules/${schedule.id}` });
  });
  http.bind(scheduleRoutes.previewSchedule, async ({ query }) => ({ next: schedules.preview(query.cron, query.timeZone) }));
  http.bind(scheduleRoutes.getSchedule, async ({ params }, call) => withEtag(await schedules.get(call.actor, params.id)));
  http.bind(scheduleRoutes.updateSchedule, async ({ params, headers, body }, call) =>
    withEtag(await schedules.update(call.actor, params.id, body, readRevision(headers))),
  );
  http.bind(scheduleRoutes.deleteSchedule, async ({ params }, call) => {
    await schedules.delete(call.actor, params.id);
    return answer(204);
  });
}
