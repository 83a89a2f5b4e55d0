import { z } from "zod";
import { route } from "./route.ts";

/** How a value is chosen. */
export const SettingForm = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("flag") }),
    z.object({ kind: z.literal("choice"), choices: z.array(z.string()) }),
    z.object({ kind: z.literal("number"), min: z.int(), max: z.int() }),
    z.object({ kind: z.literal("text") }),
  ])
  .meta({ id: "SettingForm" });
export type SettingForm = z.infer<typeof SettingForm>;

/** A setting of the server. */
export const Setting = z
  .object({
    name: z.string().describe("its key in `config.json` of the data directory"),
    env: z.string().describe("the environment variable that wins over it"),
    description: z.string(),
    default: z.string(),
    value: z.string().nullable().describe("null when there is none, or it is a secret"),
    isSet: z.boolean(),
    origin: z.enum(["environment", "file", "administrator", "default"]).describe("each wins over those after it"),
    form: SettingForm.nullable().describe(
      "how an administrator may change it while the server runs; null: only where the server is started",
    ),
    isFixed: z.boolean().describe("the environment or the file says it, or it cannot be changed while the server runs"),
  })
  .meta({ id: "Setting" });
export type Setting = z.infer<typeof Setting>;

export const SettingsInput = z
  .strictObject({
    values: z
      .record(z.string().max(64), z.string().max(4000).nullable())
      .describe("by name, written as in the environment; null: the default again"),
  })
  .meta({ id: "SettingsInput" });
export type SettingsInput = z.output<typeof SettingsInput>;

const common = { tag: "admin", auth: "admin", path: "/api/v1/admin/settings" } as const;
const settings = z.object({ items: z.array(Setting) });

export const settingRoutes = {
  listSettings: route({
    ...common,
    method: "GET",
    summary: "What this server is configured to do, and where each setting comes from (administrators). Secrets are not told",
    responses: { 200: settings },
    errors: [],
  }),
  updateSettings: route({
    ...common,
    method: "PATCH",
    audit: "admin.settings_update",
    summary: "Change settings while the server runs, all or none (administrators)",
    body: SettingsInput,
    responses: { 200: settings },
    errors: ["setting_fixed"],
  }),
};
