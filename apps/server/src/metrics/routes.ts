import { hash, timingSafeEqual } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import type { Route } from "@syla/contracts/route";
import { systemRoutes } from "@syla/contracts/system";
import type { FastifyRequest } from "fastify";
import type { Http } from "../access/http.ts";
import { requirePermission, requireScope } from "../access/service.ts";
import type { Accounts } from "../accounts/service.ts";
import { answer } from "../platform/http-call.ts";
import type { Secret } from "../platform/secret.ts";
import type { Metrics } from "./service.ts";

/** Who may read the metrics besides administrators. */
export interface MetricsAccess {
  /** Null: there are none here. */
  readonly metrics: Metrics | null;
  readonly token: Secret | undefined;
  /** Whoever calls from this machine, and not through a proxy. */
  readonly isOpenHere: boolean;
  readonly authenticate: Accounts["authenticate"];
}

/** What holds for those who are not let in otherwise. */
const forAdministrators: Route = { ...systemRoutes.getMetrics, auth: "admin" };

/** Binds what Prometheus reads. */
export function registerMetricsRoutes(http: Http, { metrics, token, isOpenHere, authenticate }: MetricsAccess): void {
  http.bind(systemRoutes.getMetrics, async (_input, { request, reply }) => {
    if (metrics === null) throw new AppError("not_found", { message: "This server has no metrics: they are switched off." });
    const isLetIn = (token !== undefined && hasToken(request, token)) || (isOpenHere && isFromHere(request));
    if (!isLetIn) {
      const actor = await authenticate(request, reply);
      if (actor === null) throw new AppError("unauthenticated");
      requireScope(actor, forAdministrators);
      requirePermission(actor, "worker:list-all");
    }
    return answer(200, await metrics.render(), { "content-type": metrics.contentType, "cache-control": "no-store" });
  });
}

function hasToken({ headers }: FastifyRequest, token: Secret): boolean {
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (given === undefined) return false;
  return timingSafeEqual(hash("sha256", given, "buffer"), hash("sha256", token.reveal(), "buffer"));
}

const forwarding = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
const loopback = /^(::ffff:)?127\.|^::1$/;

/** A proxy on this machine calls from here too, for somebody elsewhere; and a page that is open in a browser here says its origin. */
function isFromHere({ socket, headers }: FastifyRequest): boolean {
  if ([...forwarding, "origin", "sec-fetch-site"].some((name) => headers[name] !== undefined)) return false;
  return loopback.test(socket.remoteAddress ?? "");
}
