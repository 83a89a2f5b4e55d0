import { storageRoutes } from "@syla/contracts/storage";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import type { Storage } from "./service.ts";

/** Binds the care of stored content, for administrators. */
export function registerStorageRoutes(http: Http, storage: Storage): void {
  http.bind(storageRoutes.getStorage, () => storage.status());
  http.bind(storageRoutes.startStorageJob, async ({ body }, { actor, trail }) => {
    trail.details = { kind: body.kind };
    return answer(202, await storage.start(body.kind, actor));
  });
  http.bind(storageRoutes.stopStorageJob, ({ params }) => storage.stopJob(params.id));
  http.bind(storageRoutes.getStorageJob, ({ params }) => storage.job(params.id));
}
