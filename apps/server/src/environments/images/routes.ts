import { Readable } from "node:stream";
import { environmentImageRoutes } from "@syla/contracts/environment-images";
import type { Http } from "../../access/http.ts";
import { answerEvents } from "../../platform/event-stream.ts";
import { answer } from "../../platform/http-call.ts";
import { asText } from "../routes.ts";
import type { Images } from "./service.ts";

/** Binds the OCI images of environments. */
export function registerImageRoutes(http: Http, images: Images): void {
  http.bind(environmentImageRoutes.getEnvironmentImage, async ({ params }, call) => await images.get(call.actor, params.id));
  http.bind(environmentImageRoutes.buildEnvironmentImage, async ({ params }, call) =>
    answer(202, await images.start(call.actor, params.id, { push: false })),
  );
  http.bind(environmentImageRoutes.pushEnvironmentImage, async ({ params }, call) =>
    answer(202, await images.start(call.actor, params.id, { push: true })),
  );
  http.bind(environmentImageRoutes.streamEnvironmentImage, async ({ params, headers }, call) =>
    answerEvents(images.follow(call.actor, params.id, Number(headers["last-event-id"] ?? 0), call.signal), call.signal),
  );
  http.bind(environmentImageRoutes.downloadEnvironmentImageLog, async ({ params }, call) => {
    await images.get(call.actor, params.id);
    return answer(200, Readable.from(images.log(call.actor, params.id)), asText(`${params.id}.image.log`));
  });
}
