import { z } from "zod";

import { NewApiKey } from "./api-keys.ts";
import { Me } from "./accounts.ts";
import { route } from "./route.ts";
import { name } from "./fields.ts";

/** What asks to be signed in, as the person sees it before they decide. */
export const DeviceRequest = z
  .object({
    userCode: z.string(),
    clientName: z.string(),
    ip: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: "DeviceRequest" });
export type DeviceRequest = z.infer<typeof DeviceRequest>;

export const DeviceCode = z
  .object({
    deviceCode: z.string(),
    userCode: z.string(),
    verificationUrl: z.url(),
    verificationUrlComplete: z.url(),
    expiresIn: z.int().describe("seconds"),
    interval: z.int().describe("seconds between polls"),
  })
  .meta({ id: "DeviceCode" });
export type DeviceCode = z.infer<typeof DeviceCode>;

const byUserCode = z.object({ userCode: z.string().max(32) });

export const deviceLoginRoutes = {
  createDeviceCode: route({
    method: "POST",
    path: "/api/v1/device-codes",
    summary: "Begin to sign in a device: a code that a person confirms in the browser (RFC 8628)",
    tag: "accounts",
    auth: "none",
    audit: "auth.device_begin",
    body: z.strictObject({ clientName: name }),
    responses: { 201: DeviceCode },
    errors: ["rate_limited"],
  }),
  redeemDeviceCode: route({
    method: "POST",
    path: "/api/v1/device-codes/token",
    summary: "Ask whether the code was confirmed; answers an API key, once",
    tag: "accounts",
    auth: "none",
    audit: "auth.device_token",
    body: z.strictObject({ deviceCode: z.string().min(1).max(256) }),
    responses: { 201: NewApiKey.extend({ user: Me }).meta({ id: "DeviceKey" }) },
    errors: ["authorization_pending", "slow_down", "expired_token", "access_denied", "account_suspended"],
  }),
  getDeviceRequest: route({
    method: "GET",
    path: "/api/v1/device-codes/:userCode",
    summary: "What asks to be signed in under a code",
    tag: "accounts",
    auth: "user",
    params: byUserCode,
    responses: { 200: DeviceRequest },
    errors: ["not_found", "rate_limited"],
  }),
  decideDeviceRequest: route({
    method: "POST",
    path: "/api/v1/device-codes/:userCode/decision",
    summary: "Let the device in as yourself, or refuse it; only from a browser session",
    tag: "accounts",
    auth: "user",
    audit: "auth.device_decide",
    params: byUserCode,
    body: z.strictObject({ approve: z.boolean() }),
    responses: { 204: "none" },
    errors: ["not_found", "session_required", "rate_limited"],
  }),
};
