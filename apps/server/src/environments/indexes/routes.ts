import { packageIndexRoutes } from "@syla/contracts/package-indexes";
import type { Http } from "../../access/http.ts";
import { answer } from "../../platform/http-call.ts";
import { readRevision, withEtag } from "../../platform/revision.ts";
import type { Indexes } from "./service.ts";

/** Binds the package indexes of people and teams. */
export function registerPackageIndexRoutes(http: Http, indexes: Indexes): void {
  http.bind(packageIndexRoutes.listPackageIndexes, async ({ query }, call) => await indexes.list(call.actor, query));
  http.bind(packageIndexRoutes.createPackageIndex, async ({ body }, call) => answer(201, await indexes.create(call.actor, body)));
  http.bind(packageIndexRoutes.testPackageIndex, async ({ body }, call) => {
    call.trail.details = { language: body.language, host: new URL(body.url).host, credentialId: body.credentialId };
    return await indexes.test(call.actor, body);
  });
  http.bind(packageIndexRoutes.updatePackageIndex, async ({ params, headers, body }, call) =>
    withEtag(await indexes.update(call.actor, params.id, body, readRevision(headers))),
  );
  http.bind(packageIndexRoutes.deletePackageIndex, async ({ params }, call) => {
    await indexes.delete(call.actor, params.id);
    return answer(204);
  });
}
