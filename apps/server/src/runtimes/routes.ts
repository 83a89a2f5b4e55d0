import { runtimeRoutes } from "@syla/contracts/runtimes";
import type { Http } from "../access/http.ts";
import type { Environments } from "../environments/service.ts";
import type { Runtimes } from "./service.ts";

/** Binds the languages. */
export function registerRuntimeRoutes(http: Http, runtimes: Runtimes, environments: Pick<Environments, "packagesOf">): void {
  http.bind(runtimeRoutes.listRuntimes, () => ({
    items: runtimes.list().map((runtime) => ({ ...runtime, packages: environments.packagesOf(runtime) })),
  }));
}
