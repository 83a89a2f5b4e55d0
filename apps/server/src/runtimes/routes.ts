import { runtimeRoutes } from "@syla/contracts/runtimes";
import type { Http } from "../access/http.ts";
import type { Runtimes } from "./service.ts";

/** Binds the languages. */
export function registerRuntimeRoutes(http: Http, runtimes: Runtimes): void {
  http.bind(runtimeRoutes.listRuntimes, () => ({ items: runtimes.list() }));
}
