import { settingRoutes as routes } from "@syla/contracts/settings";
import type { Http } from "../access/http.ts";
import type { Settings } from "./service.ts";

/** Binds the settings of the server. */
export function registerSettingRoutes(http: Http, settings: Settings): void {
  http.bind(routes.listSettings, () => ({ items: settings.list() }));
  http.bind(routes.updateSettings, async ({ body }, { trail }) => {
    trail.details = { changes: await settings.change(body) };
    return { items: settings.list() };
  });
}
