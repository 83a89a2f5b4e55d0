import { scheduleRoutes, type Schedule } from "@syla/contracts/schedules";
import type { Http } from "../access/http.ts";
import { readRevision } from "../catalog/service.ts";
import { answer, type Answer } from "../platform/http-call.ts";
import type { Schedules } from "./service.ts";

/** Binds schedules. */
export function registerScheduleRoutes(http: Http, schedules: Schedules): void {
  http.bind(scheduleRoutes.listSchedules, async ({ query }, call) => await schedules.list(call.actor, query));
  http.bind(scheduleRoutes.createSchedule, async ({ body }, call) => {
    const schedule = await schedules.create(call.actor, body);
    return answer(201, schedule, { ...etagOf(schedule), location: `/api/v1/schedules/${schedule.id}` });
  });
  http.bind(scheduleRoutes.previewSchedule, async ({ query }) => ({ next: schedules.preview(query.cron, query.timeZone) }));
  http.bind(scheduleRoutes.getSchedule, async ({ params }, call) => withEtag(await schedules.get(call.actor, params.id)));
  http.bind(scheduleRoutes.updateSchedule, async ({ params, body, headers }, call) =>
    withEtag(await schedules.update(call.actor, params.id, body, readRevision(headers))),
  );
  http.bind(scheduleRoutes.deleteSchedule, async ({ params }, call) => {
    await schedules.delete(call.actor, params.id);
    return answer(204);
  });
}

function etagOf({ revision }: Schedule): Record<string, string> {
  return { etag: `"${revision}"` };
}

function withEtag(schedule: Schedule): Answer {
  return answer(200, schedule, etagOf(schedule));
}
